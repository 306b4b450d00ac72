import type { Counts } from "../../metering/count";

/** What happened in one hour. */
export type Hour = { at: number; events: number; delivered: number; failed: number };

export const HOUR_MS = 3_600_000;
const HOURS = 24;

/** When the first of the hours shown begins. */
export const firstHour = (now: number): number =>
  Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS;

/** The last 24 hours, oldest first, the present one included; `summed` has the counts of hours by when they begin. */
export function hoursOf(
  summed: readonly { key: number; counts: Pick<Counts, "events" | "delivered" | "failed"> }[],
  now: number,
): Hour[] {
  const first = firstHour(now);
  const byStart = new Map(summed.map(({ key, counts }) => [key, counts]));
  return Array.from({ length: HOURS }, (_, index) => {
    const at = first + index * HOUR_MS;
    const { events = 0, delivered = 0, failed = 0 } = byStart.get(at) ?? {};
    return { at, events, delivered, failed };
  });
}
