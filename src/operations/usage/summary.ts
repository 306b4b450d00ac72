import { add, type Counts, noCounts, percentile } from "../../metering/count";
import { IDLE_POLLS } from "../../metering/rollup";
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

/** Counts that were added up, by a source or by the instant at which a day or a point of a chart begins. */
type Summed<Key> = { key: Key; counts: Counts };
/** What was done, and what it cost. */
export type Usage = ReturnType<typeof usageOf>;
export type Summary = { items: ({ key: string } & Usage)[]; total: Usage };

/** Usage per day, and of all of them together. */
export function summarizeDays(days: readonly Summed<number>[]): Summary {
  const items = days.map(({ key, counts }) => ({
    key: isoText(key).slice(0, 10),
    ...usageOf(counts),
  }));
  return { items, total: usageOf(sum(days)) };
}

/** Usage per source, or per what groups of them have in common; and of all together. */
export function summarizeSources(
  sources: readonly Summed<string>[],
  groupOf: (source: string) => string,
): Summary {
  const groups = Map.groupBy(sources, ({ key }) => (key === IDLE_POLLS ? IDLE : groupOf(key)));
  const items = [...groups].map(([key, group]) => ({ key, ...usageOf(sum(group)) }));
  return { items, total: usageOf(sum(sources)) };
}

/** By the connector that an instance is of, where its key is known. */
export const byConnector =
  (connectors: ReadonlyMap<number, string>) =>
  (source: string): string => {
    const instanceId = instanceOfSource(source);
    return (instanceId === undefined ? undefined : connectors.get(instanceId)) ?? NONE;
  };

/** By the tenant that a source belongs to now; what was published to one is its own. */
export const byTenant =
  (tenants: ReadonlyMap<string, string>) =>
  (source: string): string =>
    /^tenant:(?!-$)(.+)$/.exec(source)?.[1] ?? tenants.get(source) ?? NONE;

const NONE = "none";

/** The one item of all polls that found nothing. */
export const IDLE = "idle polls";

function usageOf(total: Counts) {
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
  summed: readonly Summed<number>[],
  range: keyof typeof RANGES,
  now: number,
): Record<string, unknown>[] {
  const { from, stepMs } = spanOf(range, now);
  const byStart = new Map(summed.map(({ key, counts }) => [key, counts]));
  return Array.from({ length: RANGES[range].points }, (_, index) => {
    const at = from + index * stepMs;
    const total = byStart.get(at) ?? noCounts();
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

type ChartSpan = { from: number; to: number; stepMs: number };

/** From when to when a chart goes, and how long a point lasts, all in milliseconds. */
export const spanOf = (range: keyof typeof RANGES, now: number): ChartSpan =>
  endingWith(RANGES[range], now);

/** The span of a chart that ends with the point that `now` lies in. */
export function endingWith(
  { rangeMs, points }: { rangeMs: number; points: number },
  now: number,
): ChartSpan {
  const stepMs = rangeMs / points;
  const to = Math.ceil(now / stepMs) * stepMs;
  return { from: to - rangeMs, to, stepMs };
}

/** Counts added up. */
export function sum(summed: readonly Summed<unknown>[]): Counts {
  const total = noCounts();
  for (const { counts } of summed) add(total, counts);
  return total;
}
