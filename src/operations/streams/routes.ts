import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { instanceDestinationId } from "../../delivery/destination";
import { parse, readJson } from "../../http/body";
import { described, PAGE, SPAN } from "../../http/route-description";
import { instantField } from "../../http/instant-field";
import { invalid } from "../../http/refusal";
import { instanceOfSource } from "../../stream/stream-name";
import { startJob } from "../jobs.io";
import { consumerRoutes } from "./consumers.routes";
import { EVENT, OF_EVENT, readEventPage } from "./events.io";
import { requireDestination, streamOfPath } from "./lookup.io";

const BODY_BYTES = 64 * 1024;

const replayRequest = z.strictObject({
  from: instantField,
  to: instantField,
  destinationId: z.string().optional(),
  objectType: z.string().optional(),
  eventType: z.string().optional(),
});

/** Streams, their events, and work over them (reference v1-api.md). */
export const streamRoutes = new Hono<AskerEnv>()
  .use("/streams/*", withKey("write", { limits: "kept" }))
  .route("/", consumerRoutes)
  .get(
    "/streams/:source{.+}/events",
    described("Events of a stream, oldest first; keep `next` and come back", {
      tag: "streams",
      query: { ...PAGE, ...SPAN, ...OF_EVENT },
      answer: { items: [EVENT], next: "…", head: 1 },
    }),
    async (c) => c.json(await readEventPage(c, await streamOfPath(c), c.req.query("cursor"))),
  )
  .post(
    "/streams/:source{.+}/replay",
    described("Deliver every event of a range again, under its own ids", {
      tag: "streams",
      body: replayRequest,
      bodyExample: { from: "2026-11-20T00:00:00.000Z", to: "2026-11-21T00:00:00.000Z" },
      status: 202,
      answer: { jobId: "job_1" },
    }),
    async (c) => {
      const stream = await streamOfPath(c);
      const range = parse(replayRequest, await readJson(c, BODY_BYTES));
      if (range.to < range.from) throw invalid("to: Expected an instant after from", "to");
      if (range.destinationId !== undefined) await requireDestination(c, range.destinationId);
      const callback = await callbackOf(c, stream.source);
      const job = {
        kind: "replay",
        from: range.from,
        to: range.to,
        destinationId: range.destinationId ?? null,
        objectType: range.objectType ?? null,
        eventType: range.eventType ?? null,
        fallbackId: range.destinationId ?? callback,
      } as const;
      return c.json({ jobId: await startJob(c, [stream], job, null) }, 202);
    },
  )
  .delete(
    "/streams/:source{.+}/objects/:objectType/:objectId",
    described("Take an object's data out of everything kept", {
      tag: "streams",
      answer: { events: 3, notifications: 2 },
    }),
    async (c) => {
      const { stub } = await streamOfPath(c);
      return c.json(await stub.expunge(c.req.param("objectType"), c.req.param("objectId")));
    },
  );

/** The destination of an instance's own callback; null without a URL, and for a source that is no instance. */
async function callbackOf(c: Context<AskerEnv>, source: string): Promise<string | null> {
  const instanceId = instanceOfSource(source);
  if (instanceId === undefined) return null;
  const id = instanceDestinationId(instanceId);
  const { url } = await requireDestination(c, id);
  return url === null ? null : id;
}
