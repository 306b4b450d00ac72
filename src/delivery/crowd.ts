import type { Millis } from "../values/instant";

/** Calls for which no seat is free are tried again after this time at the earliest. */
export const CROWDED_MS = 1_000;
/** And this at the latest. */
const LONGEST_MS = 60_000;

/**
 * When calls come back that a destination's own seats have no room for: one after the other, as fast as it takes them. A
 * thousand that all came back each second to a destination that takes one at a time would cost more than their calls.
 */
export class Crowd {
  private readonly returns = new Map<string, { callMs: number; nextAt: Millis }>();

  /** @param callMs how long its calls take, as far as whoever asks has seen some. */
  returnAt(
    destinationId: string,
    { wanted, seats, callMs }: { wanted: number; seats: number; callMs: number | undefined },
    now: Millis,
  ): Millis {
    const known = this.returns.get(destinationId) ?? { callMs: CROWDED_MS, nextAt: 0 };
    const took = callMs ?? known.callMs;
    const at = Math.max(known.nextAt, now + CROWDED_MS);
    const nextAt = Math.min(at + (wanted * took) / seats, now + LONGEST_MS);
    this.returns.set(destinationId, { callMs: took, nextAt });
    return at;
  }
}
