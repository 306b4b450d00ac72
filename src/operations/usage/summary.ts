import { add, type Counts, noCounts, percentile } from "../../metering/count";
import { IDLE_POLLS, type Rollup } from "../../metering/rollup";
import { instanceOfSource } from "../../stream/stream-name";
import { isoText } from "../../values/instant";
import { costUsd } from "./cost";

const DAY_MS = 86_400_000;

/** The ranges that a chart may show, in milliseconds, and its number of points. */
export const RANGES = {
  "1h": { rangeMs: 3_600_000, points: 12 },
  "24h": { rangeMs: DAY_MS, points: 96 },
  "7d": { rangeMs: 7 * DAY_MS, points: 84 },
} as const;

export type GroupBy = "source" | "connector" | "day";

/** Usage per source, connector or day, and of all together; `connectors` has the connector key of each instance. */
export function summarize(
  rollups: readonly Rollup[],
  by: GroupBy,
  connectors: ReadonlyMap<number, string> | undefined,
): { items: Record<string, unknown>[]; total: Record<string, number> } {
  const groups = Map.groupBy(rollups, (rollup) => groupOf(by, rollup, connectors));
  const items = [...groups].map(([key, group]) => ({ key, ...usageOf(group) }));
  return { items, total: usageOf(rollups) };
}

function groupOf(
  by: GroupBy,
  { bucket, source }: Rollup,
  connectors: ReadonlyMap<number, string> | undefined,
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

/** The points of a chart that ends with the one that `now` lies in. */
export function series(
  rollups: readonly Rollup[],
  range: keyof typeof RANGES,
  now: number,
): Record<string, unknown>[] {
  const { from, stepMs } = spanOf(range, now);
  return Array.from({ length: RANGES[range].points }, (_, index) => {
    const at = from + index * stepMs;
    const total = sum(rollups.filter(({ bucket }) => bucket >= at && bucket < at + stepMs));
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
}

/** From when to when a chart goes, and how long a point lasts, all in milliseconds. */
export function spanOf(
  range: keyof typeof RANGES,
  now: number,
): { from: number; to: number; stepMs: number } {
  const { rangeMs, points } = RANGES[range];
  const stepMs = rangeMs / points;
  const to = Math.ceil(now / stepMs) * stepMs;
  return { from: to - rangeMs, to, stepMs };
}

function sum(rollups: readonly Rollup[]): Counts {
  const total = noCounts();
  for (const { counts } of rollups) add(total, counts);
  return total;
}
