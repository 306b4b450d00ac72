import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, operatorOrOwner, withKey } from "../../accounts/asker.io";
import { findConnector } from "../../connectors/catalog";
import { connectorOf, organizationOfConnector } from "../../connectors/store";
import { parse } from "../../http/body";
import { notFound } from "../../http/refusal";
import { described } from "../../http/route-description";
import type { PolledAs } from "../../instances/polled";
import type { Instance } from "../../instances/instance";
import { inReach } from "../../instances/lookup.io";
import { instanceSource, streamName } from "../../stream/stream-name";
import { TRACE_OUTCOMES, type Traces } from "../../stream/traces/trace";
import { unroutedStream } from "./note.io";
import { replayTrace } from "./replay.io";
import { traceView } from "../../stream/traces/request";

const MOST_SHOWN = 50;
const outcomeQuery = z.enum(TRACE_OUTCOMES).optional();

const OUTCOME = { outcome: `only these: ${TRACE_OUTCOMES.join(", ")}` };
const ANSWER = {
  counts: { "no-event": 1, ignored: 0, refused: 0, unrouted: 0 },
  items: [
    {
      id: "1",
      at: "2026-11-21T20:00:00.000Z",
      outcome: "no-event",
      reason: "no change found in it",
      replayable: true,
      replayedAt: null,
      request: {
        method: "POST",
        url: "https://events.acme.example/elements/api-v2/events/github/MjA5MzE=",
        headers: { "content-type": "application/json" },
        body: "{}",
        bodyEncoding: "text",
        bytes: 2,
      },
    },
  ],
  next: null,
};

/** What came for an instance, or a connector, and became no event (reference v1-api.md). */
export const traceRoutes = (polledAs: PolledAs) =>
  new Hono<AskerEnv>()
    .get(
      "/instances/:id/inbound",
      withKey("write", { limits: "kept" }),
      described("Deliveries of the vendor that became no event, newest first", {
        tag: "streams",
        query: OUTCOME,
        answer: ANSWER,
      }),
      async (c) => c.json(shown(c, await streamOf(c, await inReach(c)).traces())),
    )
    .post(
      "/instances/:id/inbound/:traceId/replay",
      withKey("write", { limits: "kept" }),
      described("Read a kept delivery again, by the connector as it is now", {
        tag: "streams",
        answer: { outcome: "accepted", events: 1, reason: null },
      }),
      async (c) => {
        const instance = await inReach(c);
        const doors = { env: c.env, polledAs };
        const became = await replayTrace(instance, c.req.param("traceId"), doors);
        return became.kind === "nothing"
          ? c.json({ outcome: became.outcome, events: 0, reason: became.reason })
          : c.json({ outcome: "accepted", events: became.events, reason: null });
      },
    )
    .get(
      "/connectors/:element/inbound",
      operatorOrOwner,
      described("Deliveries to a connector's app-wide address for a tenant that no instance has", {
        tag: "operations",
        query: OUTCOME,
        answer: ANSWER,
      }),
      async (c) =>
        c.json(shown(c, await c.env.EVENT_STREAMS.getByName(await unrouted(c)).traces())),
    );

function shown(c: Context<AskerEnv>, { counts, kept }: Traces) {
  const outcome = parse(outcomeQuery, c.req.query("outcome"), "outcome");
  const items = kept
    .filter((one) => outcome === undefined || one.outcome === outcome)
    .slice(0, MOST_SHOWN)
    .map(traceView);
  const none = Object.fromEntries(TRACE_OUTCOMES.map((name) => [name, 0]));
  return { counts: { ...none, ...counts }, items, next: null };
}

const streamOf = (c: Context<AskerEnv>, { organizationId, id }: Instance) =>
  c.env.EVENT_STREAMS.getByName(streamName({ organizationId, source: instanceSource(id) }));

/** Owners see what came for connectors that their organization made, the operator also what came for the built-in ones. */
async function unrouted(c: Context<AskerEnv>): Promise<string> {
  const key = c.req.param("element") ?? "";
  const asker: AskerEnv["Variables"]["asker"] | undefined = c.var.asker;
  const { DB } = c.env;
  const connector =
    asker === undefined ? findConnector(key) : await connectorOf(DB, asker.organizationId, key);
  if (connector === undefined) throw notFound(`No connector '${key.slice(0, 100)}'`);
  const owner = await organizationOfConnector(DB, connector.id);
  if (asker !== undefined && owner !== asker.organizationId)
    throw notFound(`No connector '${key.slice(0, 100)}'`);
  return unroutedStream(owner, connector);
}
