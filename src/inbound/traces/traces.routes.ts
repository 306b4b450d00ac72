import { type Context, Hono } from "hono";
import { type AskerEnv, operatorOrOwner, withKey } from "../../accounts/asker.io";
import { findConnector } from "../../connectors/catalog";
import { connectorOf, organizationOfConnector } from "../../connectors/store";
import { notFound } from "../../http/refusal";
import { described } from "../../http/route-description";
import type { PolledAs } from "../../instances/polled";
import type { Instance } from "../../instances/instance";
import { inReach } from "../../instances/lookup.io";
import { instanceSource, streamName } from "../../stream/stream-name";
import { answerOf, OUTCOME, shown } from "../../stream/traces/shown";
import { unroutedStream } from "./note.io";
import { replayTrace } from "./replay.io";

const ANSWER = answerOf({
  outcome: "no-event",
  reason: "no change found in it",
  replayable: true,
  request: {
    method: "POST",
    url: "https://events.acme.example/elements/api-v2/events/github/MjA5MzE=",
    headers: { "content-type": "application/json" },
    body: "{}",
  },
});

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
      async (c) =>
        c.json(shown(await streamOf(c, await inReach(c)).traces(), c.req.query("outcome"))),
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
        c.json(
          shown(
            await c.env.EVENT_STREAMS.getByName(await unrouted(c)).traces(),
            c.req.query("outcome"),
          ),
        ),
    );

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
