import { Hono } from "hono";
import { type AskerEnv, withKey, withSecrets } from "../accounts/asker.io";
import { described } from "../http/route-description";
import { conflict, Refusal } from "../http/refusal";
import { instanceSource, streamName } from "../stream/stream-name";
import { whyOff } from "../instances/instance";
import { inReach, ofToken } from "../instances/lookup.io";
import { pollNow } from "./poll-now.io";
import { type Cursor, positionOf, readCursor } from "./cursor";
import { pollDry } from "./dry-run.io";
import { pollDoors } from "./doors.io";
import { polledResources } from "./settings";
import { isoText, isoSeconds } from "../values/instant";

/** `GET /instances/event-poller-records` of the connector surface (reference connector-events-api.md §4). */
const pollerRecordRoutes = new Hono<AskerEnv>().get(
  "/instances/event-poller-records",
  withSecrets,
  async (c) => {
    const instance = await ofToken(c);
    const settings = polledResources(instance);
    const name = streamName({
      organizationId: instance.organizationId,
      source: instanceSource(instance.id),
    });
    const { cursor, lastOpenedAt } = await c.env.EVENT_STREAMS.getByName(name).inspect();
    const positions = readCursor(cursor);
    return c.json(
      (settings.ok ? settings.resources : []).map(({ resource }, index) => {
        const { last, failures } = positionOf(positions, resource);
        const polledAt = Math.max(last ?? 0, lastOpenedAt ?? 0);
        return {
          id: instance.id * 1000 + index + 1,
          instanceId: instance.id,
          objectType: resource,
          lastPollDate: polledAt === 0 ? null : isoSeconds(polledAt),
          failureCount: failures,
          unreachable: reachOfVendor(positions),
        };
      }),
    );
  },
);

/** Since when and why the vendor gives no answer, and when it is tried next; null while it answers. */
function reachOfVendor({
  unreachable,
}: Cursor): { since: string; because: string; nextTry: string } | null {
  if (unreachable === undefined) return null;
  const { since, because, nextAt } = unreachable;
  return { since: isoSeconds(since), because, nextTry: isoSeconds(nextAt) };
}

const pollDescribed = described("Poll now; answers when the poll is committed", {
  tag: "streams",
  query: { dryRun: "true: what the next poll would do; nothing moves" },
  answer: {
    pollDate: "2026-11-21T20:00:00.000Z",
    resources: [
      { objectType: "contacts", fetched: 1, created: 1, updated: 0, deleted: 0, error: null },
    ],
  },
});

/** `POST /v1/instances/{id}/poll`: a real poll, now (reference v1-api.md). */
const pollRoutes = new Hono<AskerEnv>().post(
  "/instances/:id/poll",
  withKey("write", { limits: "kept" }),
  pollDescribed,
  async (c) => {
    const instance = await inReach(c);
    const why = whyOff(instance);
    if (why !== undefined || instance.pollerDisabled !== null)
      throw conflict(why ?? "The instance is disabled");
    const doors = pollDoors(c.env);
    if (c.req.query("dryRun") === "true")
      return c.json({ dryRun: true, resources: await pollDry(instance, doors) });
    const report = await pollNow(instance, doors);
    switch (report.kind) {
      case "not-polled":
        throw conflict(report.reason);
      case "busy":
      case "postponed":
        throw new Refusal({
          kind: "limited",
          message: "Another poll of this instance or its account runs",
          retryAfterSeconds: 5,
        });
      case "crowded":
        throw new Refusal({
          kind: "limited",
          message: "The vendor's rate budget has no room",
          retryAfterSeconds: Math.max(1, Math.ceil((report.until - Date.now()) / 1000)),
        });
      case "polled": {
        const failed = report.resources.find(({ error }) => error !== null);
        if (failed?.error !== undefined && failed.error !== null)
          throw new Refusal({
            kind: "vendor",
            message: `${failed.objectType}: ${failed.error}`,
            status: 502,
            providerMessage: failed.error,
          });
        return c.json({
          pollDate: isoText(report.pollDate),
          resources: report.resources,
        });
      }
    }
  },
);

/** What polling has on each surface. */
export const pollingRoutes = { elements: pollerRecordRoutes, v1: pollRoutes };
