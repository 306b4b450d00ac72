import { Hono } from "hono";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import { parse, readJson } from "../../http/body";
import { described, PAGE, SPAN } from "../../http/route-description";
import { readListCursor } from "../../http/cursor-page";
import { notFound } from "../../http/refusal";
import { readConsumer, saveConsumer } from "./consumers.store";
import { EVENT, eventCursor, OF_EVENT, readEventPage } from "./events.io";
import { streamOfPath } from "./lookup.io";

const BODY_BYTES = 64 * 1024;
const consumerPosition = z.strictObject({
  cursor: z.string("Expected a cursor of this stream's events"),
});
const consumerName = z.string().max(200, "Expected at most 200 characters");

/** Named readers of a stream, whose positions we keep (reference v1-api.md). */
export const consumerRoutes = new Hono<AskerEnv>()
  .get(
    "/streams/:source{.+}/consumers/:name/events",
    described("Read on from a named consumer's position", {
      tag: "streams",
      query: { ...PAGE, ...SPAN, ...OF_EVENT },
      answer: { items: [EVENT], next: "…", head: 1 },
    }),
    async (c) => {
      const stream = await streamOfPath(c);
      const saved = await readConsumer(c.env.DB, stream.name, c.req.param("name"));
      return c.json(await readEventPage(c, stream, c.req.query("cursor") ?? saved ?? undefined));
    },
  )
  .get(
    "/streams/:source{.+}/consumers/:name",
    described("A named consumer's position", {
      tag: "streams",
      answer: { name: "etl", cursor: "…" },
    }),
    async (c) => {
      const { name } = await streamOfPath(c);
      const consumer = c.req.param("name");
      const cursor = await readConsumer(c.env.DB, name, consumer);
      if (cursor === undefined) throw notFound(`No consumer '${consumer}'`);
      return c.json({ name: consumer, cursor });
    },
  )
  .put(
    "/streams/:source{.+}/consumers/:name",
    described("Move a named consumer", {
      tag: "streams",
      body: consumerPosition,
      bodyExample: { cursor: "eyJzZXEiOjF9" },
      answer: { name: "etl", cursor: "…" },
    }),
    async (c) => {
      const { name } = await streamOfPath(c);
      const { cursor } = parse(consumerPosition, await readJson(c, BODY_BYTES));
      readListCursor(cursor, eventCursor);
      const consumer = parse(consumerName, c.req.param("name"), "name");
      await saveConsumer(c.env.DB, name, consumer, cursor, Date.now());
      return c.json({ name: consumer, cursor });
    },
  );
