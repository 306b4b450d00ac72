import { Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { add, type Counts, noCounts, percentile } from "../../metering/count";
import { BUCKET_MS, flushCounts, IDLE_POLLS, readRollups, type Rollup } from "../../metering/store";
import { parse } from "../../http/body";
import { described, SPAN } from "../../http/described";
import { readInstant } from "../../http/lists";
import { instanceOfSource } from "../../stream/stream-name";
import { costUsd } from "./cost";
import { isoText } from "../../values/instant";

const DAY_MS = 86_400_000;
const RANGES = { "1h": 3_600_000, "24h": DAY_MS, "7d": 7 * DAY_MS } as const;
/** Points of a chart. */
const POINTS = { "1h": 12, "24h": 96, "7d": 84 } as const;

const byField = z
  .enum(["source", "connector", "day"], "Expected source, connector or day")
  .default("day");
const rangeField = z.enum(["1h", "24h", "7d"], "Expected 1h, 24h or 7d").default("24h");

/** Connector keys of an organization's instances, told by a room above this one. */
export type ConnectorsOf = (db: D1Database, organizationId: number) => Promise<Map<number, string>>;

/**
 * What was done and what it cost, and series for charts (reference v1-api.md). By source, a poll stands
 * with its instance when it committed something; the idle ones of all instances are one item, `idle polls`.
 */
export const usageRoutes = (connectorsOf: ConnectorsOf): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .use("/usage", withKey())
    .use("/stats", withKey())
    // What this isolate counted just now belongs to what is asked for.
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
        const to = readInstant(c.req.query("to"), "to") ?? Date.now();
        const from = readInstant(c.req.query("from"), "from") ?? to - 30 * DAY_MS;
        const by = parse(byField, c.req.query("by"), "by");
        const rollups = await readRollups(
          c.env.DB,
          c.var.asker.organizationId,
          from - BUCKET_MS,
          to,
        );
        const connectors =
          by === "connector" ? await connectorsOf(c.env.DB, c.var.asker.organizationId) : undefined;
        const groups = Map.groupBy(rollups, (rollup) => keyOf(by, rollup, connectors));
        const items = [...groups].map(([key, group]) => ({ key, ...usageOf(group) }));
        return c.json({ from: isoText(from), to: isoText(to), by, items, total: usageOf(rollups) });
      },
    )
    .get(
      "/stats",
      described("Series for charts", {
        tag: "operations",
        query: { range: "1h, 24h or 7d; 24h if absent" },
        answer: {
          range: "24h",
          points: [
            {
              at: "2026-11-21T20:00:00.000Z",
              events: 12,
              delivered: 12,
              failed: 1,
              polls: 60,
              pollsDue: 60,
              pollsLate: 0,
              p50Ms: 30,
              p99Ms: 300,
            },
          ],
        },
      }),
      async (c) => {
        const range = parse(rangeField, c.req.query("range"), "range");
        const step = RANGES[range] / POINTS[range];
        const to = Math.ceil(Date.now() / step) * step;
        const rollups = await readRollups(
          c.env.DB,
          c.var.asker.organizationId,
          to - RANGES[range],
          to,
        );
        const points = Array.from({ length: POINTS[range] }, (_, index) => {
          const at = to - RANGES[range] + index * step;
          const total = sum(rollups.filter(({ bucket }) => bucket >= at && bucket < at + step));
          const { events, delivered, failed, polls, pollsDue, pollsLate, durations } = total;
          return {
            at: isoText(at),
            events,
            delivered,
            failed,
            polls,
            pollsDue,
            pollsLate,
            p50Ms: percentile(durations, 0.5),
            p99Ms: percentile(durations, 0.99),
          };
        });
        return c.json({ range, points });
      },
    );

function keyOf(
  by: z.infer<typeof byField>,
  { bucket, source }: Rollup,
  connectors: Map<number, string> | undefined,
): string {
  if (by !== "day" && source === IDLE_POLLS) return "idle polls";
  switch (by) {
    case "day":
      return isoText(bucket).slice(0, 10);
    case "source":
      return source;
    case "connector": {
      const instanceId = instanceOfSource(source);
      return (instanceId === undefined ? undefined : connectors?.get(instanceId)) ?? "none";
    }
  }
}

function sum(rollups: readonly Rollup[]): Counts {
  const total = noCounts();
  for (const { counts } of rollups) add(total, counts);
  return total;
}

function usageOf(rollups: readonly Rollup[]): Record<string, number> {
  const total = sum(rollups);
  const { polls, events, delivered, attempts, rowsWritten, objectRequests, queueOperations } =
    total;
  return {
    polls,
    events,
    deliveries: delivered,
    attempts,
    rowsWritten,
    objectRequests,
    queueOperations,
    costUsd: costUsd(total),
  };
}
