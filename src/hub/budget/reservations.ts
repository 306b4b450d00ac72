import { type Pace, reserve } from "../../delivery/rate";

/** A poll waits at most this long for its turn; otherwise its message goes back on the queue until then. */
export const HORIZON_MS = 5_000;

/** A poll's request for times at which it may call the vendor. */
export type Reservation = {
  account: string;
  wanted: number;
  /** Absent: the vendor publishes no number; we only obey its pauses. */
  ratePerSecond?: number;
  /** It has waited before, or belongs to a poll under way, and goes before new ones. */
  again: boolean;
  /** A person asked for this poll: a pause does not hold it up. */
  forced?: true;
};

/** Times at which requests may leave, epoch ms. If they are fewer than wanted: when to come back for the rest. */
export type Reserved = { starts: number[]; returnAt: number | null };

/**
 * Evenly spaced times for a poll's requests, so that no window has more of them than the limit allows. There are
 * none while the vendor wants a pause, or while others have waited longer: then the poll gets the next free time at
 * which to come back. Example: at 10 requests a second, with the next free time in 2 s, a poll that wants 5 gets
 * 2.0, 2.1, 2.2, 2.3 and 2.4 s; with the next free time in 8 s it is told to come back then.
 */
export function reserveTimes(
  pace: Pace,
  { wanted, ratePerSecond, again, forced }: Reservation,
  pausedUntil: number,
  now: number,
): Reserved & { pace: Pace } {
  const paused = forced === true ? 0 : pausedUntil;
  if (ratePerSecond === undefined && paused > now) return { pace, starts: [], returnAt: paused };
  const isBehind = !again && pace.nextReturnAt > now + HORIZON_MS;
  const line = { ...pace, nextReturnAt: Math.max(pace.nextReturnAt, paused) };
  // A horizon in the past lets nothing start: the whole reservation has to come back.
  const horizonMs = paused > now || isBehind ? -1 : HORIZON_MS;
  return reserve(line, wanted, ratePerSecond, now, horizonMs);
}
