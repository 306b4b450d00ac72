import { type Pace, reserve } from "../../delivery/rate";

/** A poll waits this long for its start; what starts later comes back then. */
export const HORIZON_MS = 5_000;

export type Ask = {
  account: string;
  wanted: number;
  /** Absent: no figure is known, only a pause holds. */
  ratePerSecond?: number;
  /** It has waited before, or a poll under way needs it: it goes before those that come anew. */
  again: boolean;
  /** Somebody asked for it: it is not held up by a pause. */
  forced?: true;
};

/** Instants at which requests may leave; who got none comes back at `returnAt`. Epoch ms. */
export type Reserved = { starts: number[]; returnAt: number | null };

/**
 * Evenly spaced starts for an ask, so that no window ever sees more than its limit. While the vendor has
 * paused the account, or others have waited longer, there are none: the ask goes to the end of the line.
 */
export function stand(
  pace: Pace,
  { wanted, ratePerSecond, again, forced }: Ask,
  pausedUntil: number,
  now: number,
): Reserved & { pace: Pace } {
  const paused = forced === true ? 0 : pausedUntil;
  if (ratePerSecond === undefined && paused > now) return { pace, starts: [], returnAt: paused };
  const isBehind = !again && pace.nextReturnAt > now + HORIZON_MS;
  const line = { ...pace, nextReturnAt: Math.max(pace.nextReturnAt, paused) };
  // Nothing starts before now: the whole ask is sent to the end of the line.
  const horizonMs = paused > now || isBehind ? -1 : HORIZON_MS;
  return reserve(line, wanted, ratePerSecond, now, horizonMs);
}
