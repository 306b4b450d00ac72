import type { Rollup } from "../../metering/rollup";

/** What happened in one hour. */
export type Hour = { at: number; events: number; delivered: number; failed: number };

const HOUR_MS = 3_600_000;
const HOURS = 24;

/** When the first of the hours shown begins. */
export const firstHour = (now: number): number =>
  Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS;

/** The last 24 hours, oldest first, the present one included. */
export function hoursOf(
  rollups: readonly Pick<Rollup, "bucket" | "counts">[],
  now: number,
): Hour[] {
  const first = firstHour(now);
  const hours = Array.from({ length: HOURS }, (_, index) => ({
    at: first + index * HOUR_MS,
    events: 0,
    delivered: 0,
    failed: 0,
  }));
  for (const { bucket, counts } of rollups) {
    const hour = hours[Math.floor((bucket - first) / HOUR_MS)];
    if (hour === undefined) continue;
    hour.events += counts.events;
    hour.delivered += counts.delivered;
    hour.failed += counts.failed;
  }
  return hours;
}
