import type { Millis } from "../values/instant";

/** How long a poll may stay silent before another one may take its lease. */
const LEASE_MS = 20_000;

/**
 * The right of one poll to move the cursor, so that two polls of a source don't fetch the same pages side by side.
 * It is granted to a *holder*, the isolate that polls. The same holder gets a new one at once, since it knows that its
 * own earlier poll is over; so where only the schedule asks for polls, an idle one needs no second request to give its
 * lease back. Other holders wait until it is given back or ends.
 *
 * The lease is in memory and saves work only. What keeps two polls apart even after a restart is the cursor's version:
 * a commit that read an older one is refused.
 */
export class PollLease {
  private current: { token: string; holder: string; until: Millis } | undefined;

  /** Grants the lease under `token`, a new random text. @returns until when another holder has it; null: granted. */
  acquire(holder: string, token: string, now: Millis): Millis | null {
    if (this.current !== undefined && this.current.until > now && this.current.holder !== holder)
      return this.current.until;
    this.current = { token, holder, until: now + LEASE_MS };
    return null;
  }

  /** @returns false when the lease of `token` ended or was granted to another poll. */
  renew(token: string, now: Millis): boolean {
    if (this.current?.token !== token) return false;
    this.current.until = now + LEASE_MS;
    return true;
  }

  release(token: string): void {
    if (this.current?.token === token) this.current = undefined;
  }

  /** Whether the lease was granted to another poll since `token`. */
  isLost(token: string): boolean {
    return this.current !== undefined && this.current.token !== token;
  }
}
