import { Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { parse } from "../../http/body";
import { described, SPAN } from "../../http/route-description";
import { readInstant } from "../../http/instant-field";
import { BUCKET_MS } from "../../metering/rollup";
import { flushCounts, readRollups } from "../../metering/store";
import { isoText } from "../../values/instant";
import { reachOf } from "../reach";
import { series, spanOf, summarize } from "./summary";

const DAY_MS = 86_400_000;

const byField = z
  .enum(["source", "connector", "day"], "Expected source, connector or day")
  .default("day");
const rangeField = z.enum(["1h", "24h", "7d"], "Expected 1h, 24h or 7d").default("24h");

/** Connector keys of an organization's instances, by the instance's id: a room above this one has them. */
export type ConnectorsOf = (db: D1Database, organizationId: number) => Promise<Map<number, string>>;

/** What a chart shows of each of its points. */
const POINT = {
  at: "2026-11-21T20:00:00.000Z",
  events: 12,
  delivered: 12,
  failed: 1,
  polls: 60,
  pollsDue: 60,
  pollsLate: 0,
  p50Ms: 30,
  p99Ms: 300,
};

/**
 * What was done and what it cost, and series for charts (reference v1-api.md). By source, a poll that committed
 * something counts with its instance; the idle polls of all instances are one item, `idle polls`.
 */
export const usageRoutes = (connectorsOf: ConnectorsOf): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .use("/usage", withKey("write", { limits: "kept" }))
    .use("/stats", withKey("write", { limits: "kept" }))
    // What this isolate has counted and not yet written belongs to the answer.
    .on("GET", ["/usage", "/stats"], async (c, next) => {
      await flushCounts(c.env.DB, Date.now(), 0);
      await next();
    })
    .get(
      "/usage",
      described("What was done, and what it cost", {
        tag: "operations",
        query: { ...SPAN, by: "source, connector or day; day if absent" },
        answer: { items: [{ key: "2026-11-21", events: 1, costUsd: 0.000002 }], total: {} },
      }),
      async (c) => {
        const { asker } = c.var;
        const { organizationId } = asker;
        const to = readInstant(c.req.query("to"), "to") ?? Date.now();
        const from = readInstant(c.req.query("from"), "from") ?? to - 30 * DAY_MS;
        const by = parse(byField, c.req.query("by"), "by");
        const since = from - BUCKET_MS;
        const rollups = await readRollups(c.env.DB, organizationId, since, to, reachOf(asker));
        const connectors =
          by === "connector" ? await connectorsOf(c.env.DB, organizationId) : undefined;
        const summary = summarize(rollups, by, connectors);
        return c.json({ from: isoText(from), to: isoText(to), by, ...summary });
      },
    )
    .get(
      "/stats",
      described("Series for charts", {
        tag: "operations",
        query: { range: "1h, 24h or 7d; 24h if absent" },
        answer: { range: "24h", points: [POINT] },
      }),
      async (c) => {
        const range = parse(rangeField, c.req.query("range"), "range");
        const now = Date.now();
        const { from, to } = spanOf(range, now);
        const { asker } = c.var;
        const reach = reachOf(asker);
        const rollups = await readRollups(c.env.DB, asker.organizationId, from, to, reach);
        return c.json({ range, points: series(rollups, range, now) });
      },
    );
