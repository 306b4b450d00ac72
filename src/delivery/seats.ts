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
 * version before have none.
 */
export type Holder = { id: string; busy: number; turn?: number };

/** `givesBack`: the endpoint is busy, so seats are to be given back as soon as they are not used any more. */
export type Grant = { calls: number; givesBack: boolean };

/**
 * The seats of an endpoint: at most a hundred calls are under way there at a time, over all streams and isolates. Under a
 * rate each call gets an instant to start at, and has its seat until it is reported. Without a rate an isolate gets a
 * grant for the calls that it could begin now, say six for a second, fills its seats by its own count (`allowance.ts`), and
 * all six are taken, used or not, until it says that it needs fewer, or must be dead.
 */
export class Seats {
  private calls: Millis[] = [];
  private readonly grants = new Map<string, { calls: number; turn: number; forgottenAt: Millis }>();

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
  grant(holder: Holder, wanted: number, now: Millis): Grant | null {
    if (!this.hold(holder, now)) return null;
    const free = this.free(now);
    const more = Math.min(wanted, MOST_GRANTED, Math.ceil(free / 2));
    if (more <= 0) return null;
    const calls = holder.busy + more;
    this.seat(holder, calls, now);
    return { calls, givesBack: CONCURRENCY - free + more > QUIET };
  }

  private seat({ id, turn }: Holder, calls: number, now: Millis): void {
    const silentMs = turn === undefined ? SILENT_BEFORE_MS : SILENT_MS;
    if (calls === 0) this.grants.delete(id);
    else this.grants.set(id, { calls, turn: turn ?? 0, forgottenAt: now + GRANT_MS + silentMs });
  }
}
