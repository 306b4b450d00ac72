import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { parse, readJson } from "../../http/body";
import { described, PAGE, SPAN } from "../../http/route-description";
import { consumerRoutes } from "./consumers.routes";
import { EVENT, OF_EVENT, readEventPage } from "./events.io";
import { streamOfPath } from "./lookup.io";
import { replayRequest, startReplay } from "./replay.io";

const BODY_BYTES = 64 * 1024;

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
      return c.json({ jobId: await startReplay(c, stream, range) }, 202);
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
