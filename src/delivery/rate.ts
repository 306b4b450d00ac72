import type { Millis } from "../values/instant";

/** The state of a rate limit: calls start evenly spaced, so no second ever has more than the rate allows. */
export type Pace = {
  /** The next free start. */
  nextAt: Millis;
  /**
   * When the next call that finds no room is told to come back. Each gets a later instant, so that they do not come
   * together.
   */
  nextReturnAt: Millis;
};

export const UNPACED: Pace = { nextAt: 0, nextReturnAt: 0 };

/** Starts are given out no further ahead than this: so long does a consumer wait for them. */
export const HORIZON_MS = 2_000;

/**
 * Starts for `wanted` calls at `ratePerSecond`: those within the horizon, and when the others come back together.
 * Example: at 2 a second, 10 calls get 5 starts within two seconds, and 5 come back after that; the next caller
 * without room is told to come back 2.5 seconds later still.
 */
export function reserve(
  pace: Pace,
  wanted: number,
  ratePerSecond: number | undefined,
  now: Millis,
  horizonMs = HORIZON_MS,
): { pace: Pace; starts: Millis[]; returnAt: Millis | null } {
  if (ratePerSecond === undefined)
    return { pace, starts: Array.from({ length: wanted }, () => now), returnAt: null };
  const spacing = 1000 / ratePerSecond;
  const starts: Millis[] = [];
  let nextAt = Math.max(pace.nextAt, now);
  while (starts.length < wanted && nextAt <= now + horizonMs) {
    starts.push(nextAt);
    nextAt += spacing;
  }
  const away = wanted - starts.length;
  if (away === 0) return { pace: { ...pace, nextAt }, starts, returnAt: null };
  const returnAt = Math.max(pace.nextReturnAt, nextAt);
  return { pace: { nextAt, nextReturnAt: returnAt + away * spacing }, starts, returnAt };
}
