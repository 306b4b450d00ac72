import { BOUNDS_MS, type Counts, noCounts, percentile } from "../../metering/count";
import { endingWith, sum } from "../../operations/usage/summary";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What may be looked back on, and in how many points; counts are kept in steps of five minutes, later of an hour, then of a day. */
export const RANGES = {
  now: { words: "the last 5 to 10 minutes", rangeMs: 10 * MINUTE_MS, points: 2 },
  "1h": { words: "the last hour", rangeMs: HOUR_MS, points: 12 },
  "24h": { words: "the last 24 hours", rangeMs: DAY_MS, points: 24 },
  "7d": { words: "the last 7 days", rangeMs: 7 * DAY_MS, points: 28 },
  "30d": { words: "the last 30 days", rangeMs: 30 * DAY_MS, points: 30 },
} as const;
export type Range = keyof typeof RANGES;

export const rangeOf = (text: string | undefined): Range =>
  text !== undefined && Object.hasOwn(RANGES, text) ? (text as Range) : "24h";

export const spanOfRange = (range: Range, now: number) => endingWith(RANGES[range], now);

type Field = "events" | "delivered" | "failed";
/** What happened from `at` on. */
export type Point = { at: number } & Pick<Counts, Field>;
export type Figures = { points: Point[]; total: Counts };

/** The points of a range, oldest first, the present one included; `summed` has counts by when a point begins. */
export function figuresOf(
  summed: readonly { key: number; counts: Counts }[],
  range: Range,
  now: number,
): Figures {
  const { from, stepMs } = spanOfRange(range, now);
  const byStart = new Map(summed.map(({ key, counts }) => [key, counts]));
  const shown = Array.from({ length: RANGES[range].points }, (_, index) => {
    const at = from + index * stepMs;
    return { key: at, counts: byStart.get(at) ?? noCounts() };
  });
  return {
    points: shown.map(({ key: at, counts: { events, delivered, failed } }) => ({
      at,
      events,
      delivered,
      failed,
    })),
    total: sum(shown),
  };
}

/** Within what time a share of the tries was answered: `300 ms`, `3 s`; times are counted in classes, of which this is the bound. */
export function within(durations: readonly number[], share: number): string | null {
  const ms = percentile(durations, share);
  const longest = BOUNDS_MS.at(-1) ?? 0;
  if (ms === null) return null;
  if (ms > longest) return `over ${longest / 1000} s`;
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

/** When the month (UTC) began that an instant lies in. */
export function monthOf(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}
