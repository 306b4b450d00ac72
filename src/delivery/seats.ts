import type { Millis } from "../values/instant";

/** Calls under way at one endpoint at a time, over all streams and isolates. */
export const CONCURRENCY = 100;
/** Under a grant, calls may be begun for this long. */
export const GRANT_MS = 1_000;
/** An isolate reports calls that outlast its grant each second; one that is silent for this long has no calls left. */
const SILENT_MS = 5_000;
/** A call that nobody reports on is taken for ended after this long. */
const CALL_LOST_MS = 40_000;
/** The most calls that one grant adds to those under way: enough for four invocations of six connections each. */
const MOST_GRANTED = 24;

/**
 * The seats of an endpoint: at most a hundred calls are under way there at a time, over all streams and isolates. Under a
 * rate each call gets an instant to start at, and has its seat until it is reported. Without a rate an isolate gets a
 * grant, say of 24 seats for a second, fills them by its own count (`allowance.ts`), and all 24 are taken meanwhile,
 * used or not.
 */
export class Seats {
  private calls: Millis[] = [];
  private readonly grants = new Map<string, { calls: number; forgottenAt: Millis }>();

  /** How many more calls there is room for. */
  free(now: Millis): number {
    this.calls = this.calls.filter((startedAt) => startedAt > now - CALL_LOST_MS);
    let taken = this.calls.length;
    for (const [holder, { calls, forgottenAt }] of this.grants)
      if (forgottenAt <= now) this.grants.delete(holder);
      else taken += calls;
    return Math.max(0, CONCURRENCY - taken);
  }

  /** Calls with starts of their own. */
  start(starts: readonly Millis[]): void {
    this.calls.push(...starts);
  }

  /** So many of them are over. */
  end(count: number): void {
    this.calls.splice(0, count);
  }

  /** A holder's grant has run out, and so many of its calls are still under way. */
  hold(holder: string, busy: number, now: Millis): void {
    if (busy === 0) this.grants.delete(holder);
    else this.grants.set(holder, { calls: busy, forgottenAt: now + GRANT_MS + SILENT_MS });
  }

  /**
   * A grant in place of the one the holder had: half of what is free beyond its `busy` calls, so that
   * others find room too. @returns how many calls it may have under way at a time; null: no more than it has.
   */
  grant(holder: string, busy: number, now: Millis): number | null {
    this.hold(holder, busy, now);
    const more = Math.min(MOST_GRANTED, Math.ceil(this.free(now) / 2));
    if (more === 0) return null;
    this.hold(holder, busy + more, now);
    return busy + more;
  }
}
