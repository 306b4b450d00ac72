import { Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { operatorsOrganization } from "../../accounts/organizations/store";
import { parse } from "../../http/body";
import { described, SPAN } from "../../http/route-description";
import { readInstant } from "../../http/instant-field";
import { writeCounts } from "../../metering/counter.io";
import { usageSeries } from "../../metering/store";
import { isoText } from "../../values/instant";
import { LIMIT_BYTES, type Projection, projected } from "../database/size";
import { readSizes } from "../database/size.store";
import { OF_TENANT, reachAsked } from "../reach-asked.io";
import { type ConnectorsOf, GROUPS, readUsage } from "./read.io";
import { series, spanOf } from "./summary";

const DAY_MS = 86_400_000;

const byField = z.enum(GROUPS, "Expected source, connector, tenant or day").default("day");
const rangeField = z.enum(["1h", "24h", "7d"], "Expected 1h, 24h or 7d").default("24h");

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

const DATABASE = {
  sizeBytes: 120_000_000,
  limitBytes: LIMIT_BYTES,
  growthBytesPerDay: 4_000_000,
  daysUntilFull: 2_470,
};

/** How full the database is, which all organizations share: only the operator's hears of it. */
async function databaseOf(
  db: D1Database,
  { organizationId, limits }: AskerEnv["Variables"]["asker"],
  now: number,
): Promise<{ database?: Projection }> {
  if (limits !== undefined || (await operatorsOrganization(db)) !== organizationId) return {};
  const { bytes, sizes } = await readSizes(db);
  return { database: projected(sizes, bytes, now) };
}

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
      await writeCounts(c.env.DB, Date.now());
      await next();
    })
    .get(
      "/usage",
      described("What was done, and what it cost", {
        tag: "operations",
        query: { ...SPAN, ...OF_TENANT, by: "source, connector, tenant or day (if absent)" },
        answer: { items: [{ key: "2026-11-21", events: 1, costUsd: 0.000002 }], total: {} },
      }),
      async (c) => {
        const to = readInstant(c.req.query("to"), "to") ?? Date.now();
        const from = readInstant(c.req.query("from"), "from") ?? to - 30 * DAY_MS;
        const by = parse(byField, c.req.query("by"), "by");
        const summary = await readUsage(c, { from, to }, by, connectorsOf);
        return c.json({ from: isoText(from), to: isoText(to), by, ...summary });
      },
    )
    .get(
      "/stats",
      described("Series for charts", {
        tag: "operations",
        query: { ...OF_TENANT, range: "1h, 24h or 7d; 24h if absent" },
        answer: { range: "24h", points: [POINT], database: DATABASE },
      }),
      async (c) => {
        const range = parse(rangeField, c.req.query("range"), "range");
        const now = Date.now();
        const { from, to, stepMs } = spanOf(range, now);
        const { asker } = c.var;
        const { organizationId } = asker;
        const span = { organizationId, from, to, of: await reachAsked(c) };
        const [points, database] = await Promise.all([
          usageSeries(c.env.DB, span, stepMs),
          databaseOf(c.env.DB, asker, now),
        ]);
        return c.json({ range, points: series(points, range, now), ...database });
      },
    );
