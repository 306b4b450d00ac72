import type { Millis } from "../values/instant";

/** Where an endpoint's rate stands: calls are evenly spaced, so no second ever sees more than the rate. */
export type Pace = {
  /** The next free start. */
  nextAt: Millis;
  /** Where those that had to be sent away are asked to come back; runs ahead of `nextAt`. */
  nextReturnAt: Millis;
};

export const UNPACED: Pace = { nextAt: 0, nextReturnAt: 0 };

/** A consumer waits this long for the starts it was given; the rest comes back later. */
export const HORIZON_MS = 2_000;

/**
 * Starts for `wanted` calls at `ratePerSecond`: those within the horizon, and when the others, together,
 * should come back. Those sent away are spread, so that they do not return as a herd.
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
