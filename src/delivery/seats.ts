import type { Millis } from "../values/instant";

/** Calls under way at one endpoint at a time, over all streams and isolates. */
export const CONCURRENCY = 100;
/** Under a grant, calls may be begun for this long. */
export const GRANT_MS = 1_000;
/** A call that nobody reports on is taken for ended after this long. */
export const CALL_LOST_MS = 40_000;
/**
 * An isolate that is silent for this long after its grant has no calls left: a callback ends after 15 s, and calls that
 * take longer are told of each second. It may have died with seats in its hands, or kept a few on a quiet endpoint.
 */
const SILENT_MS = 16_000;
/** The same for isolates that run the version before: they give nothing back, and tell of all their calls each second. */
const SILENT_BEFORE_MS = 5_000;
/** The most calls that one grant adds to those under way: enough for four invocations of six connections each. */
const MOST_GRANTED = 24;
/** While no more seats than this are taken, nobody is asked to give any back: that spares a request. */
const QUIET = 20;

/**
 * An isolate, and how many of its calls are under way under the grant it holds; from when it says so it begins no call
 * beyond these. `turn` counts its messages: of two that overtook each other the later one holds. Isolates that run the
 * version before have none. `pool`: the seats are a destination's own; the holder's id is then another than without.
 */
export type Holder = { id: string; busy: number; turn?: number; pool?: string };

/** Seats of a destination that says how many calls at a time it takes; each is one of the endpoint's hundred, too. */
export type Pool = { id: string; most: number };

/** `givesBack`: the endpoint is busy, so seats are to be given back as soon as they are not used any more. */
export type Grant = { calls: number; givesBack: boolean };

/**
 * The seats of an endpoint: at most a hundred calls are under way there at a time, over all streams and isolates. Under a
 * rate each call gets an instant to start at, and has its seat until it is reported. Without a rate an isolate gets a
 * grant for the calls that it could begin now, say six for a second, fills its seats by its own count (`allowance.ts`), and
 * all six are taken, used or not, until it says that it needs fewer, or must be dead. A destination may have a pool of
 * fewer seats, which an isolate holds apart from its others and gives back as soon as it does not use them.
 */
export class Seats {
  private calls: { startedAt: Millis; pool: string | undefined }[] = [];
  private readonly grants = new Map<
    string,
    { calls: number; turn: number; forgottenAt: Millis; pool: string | undefined }
  >();

  /** How many more calls there is room for. */
  free(now: Millis, pool?: Pool): number {
    this.calls = this.calls.filter(({ startedAt }) => startedAt > now - CALL_LOST_MS);
    for (const [holder, { forgottenAt }] of this.grants)
      if (forgottenAt <= now) this.grants.delete(holder);
    const free = CONCURRENCY - this.taken();
    const own = pool === undefined ? free : pool.most - this.taken(pool.id);
    return Math.max(0, Math.min(free, own));
  }

  /** Calls with starts of their own. */
  start(starts: readonly Millis[], pool?: string): void {
    this.calls.push(...starts.map((startedAt) => ({ startedAt, pool })));
  }

  /** So many of them are over. */
  end(count: number, pool?: string): void {
    let left = count;
    this.calls = this.calls.filter((call) => call.pool !== pool || (left -= 1) < 0);
  }

  /** A holder needs no more seats than its busy ones. @returns false, changing nothing: a later message came before. */
  hold(holder: Holder, now: Millis): boolean {
    const known = this.grants.get(holder.id);
    if (known !== undefined && holder.turn !== undefined && holder.turn < known.turn) return false;
    this.seat(holder, holder.busy, now);
    return true;
  }

  /**
   * A grant in place of the one the holder had: what it wants beyond its busy calls, but no more than half of what is
   * free, so that others find room too. @returns null: no more than it has.
   */
  grant(holder: Holder, wanted: number, now: Millis, pool?: Pool): Grant | null {
    if (!this.hold(holder, now)) return null;
    const more = Math.min(wanted, MOST_GRANTED, Math.ceil(this.free(now, pool) / 2));
    if (more <= 0) return null;
    const calls = holder.busy + more;
    this.seat(holder, calls, now);
    return { calls, givesBack: pool !== undefined || this.taken() > QUIET };
  }

  private taken(pool?: string): number {
    const isCounted = (one: { pool: string | undefined }): boolean =>
      pool === undefined || one.pool === pool;
    return this.grants
      .values()
      .filter(isCounted)
      .reduce((sum, { calls }) => sum + calls, this.calls.filter(isCounted).length);
  }

  private seat({ id, turn, pool }: Holder, calls: number, now: Millis): void {
    const silentMs = turn === undefined ? SILENT_BEFORE_MS : SILENT_MS;
    const forgottenAt = now + GRANT_MS + silentMs;
    if (calls === 0) this.grants.delete(id);
    else this.grants.set(id, { calls, turn: turn ?? 0, forgottenAt, pool });
  }
}
