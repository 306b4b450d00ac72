import { DurableObject } from "cloudflare:workers";
import { forgetObject, Note } from "../../db/objects";
import { type Pace, UNPACED } from "../../delivery/rate";
import type { Entered, Line } from "./limit";
import { type Reservation, type Reserved, reserveTimes } from "./reservations";

/** However long a pause the vendor asks for, we keep it no longer than this. */
const LONGEST_PAUSE_MS = 86_400_000;
const MOST_PACES = 1_000;
/** A poll that has not called `enter` for this long no longer keeps others out. */
const SERIAL_POLL_MS = 20_000;
const TABLE =
  "CREATE TABLE IF NOT EXISTS pauses (account TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID";
/** A message that waits for its account comes back within this time. */
const RETURN_MS = 2_000;

/**
 * Paces the requests that all instances of an organization send to one vendor (`limit.ts` says which share a
 * budget). It lives in memory; only pauses that the vendor asked for are stored.
 *
 * - Polls reserve the times of their requests in advance, all polls of a queue message in one call. A poll that
 *   gets none within five seconds goes back on the queue, and keeps its place before later ones.
 * - A person's request goes at once, and polls wait a little longer afterwards.
 * - A 429 of the vendor pauses the whole account.
 * - Where a vendor wants one request at a time of an account (Dropbox), the account's polls come one by one.
 */
export class VendorBudget extends DurableObject<Env> {
  private readonly paces = new Map<string, Pace>();
  private readonly pauses: Map<string, number>;
  private readonly waiting = new Map<number, number>();
  private readonly note: Note;
  private readonly serialPolls = new Map<string, { token: string; until: number }>();
  private readonly waitingMessages = new Map<string, number>();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.note = new Note(state, env.DB, "budget");
    this.pauses = new Map(this.storedPauses().map(({ account, until }) => [account, until]));
  }

  /** None where there is no table, as in a budget that no vendor has ever paused. */
  private storedPauses(): { account: string; until: number }[] {
    const { sql } = this.ctx.storage;
    try {
      return sql.exec<{ account: string; until: number }>("SELECT * FROM pauses").toArray();
    } catch (error) {
      if (String(error).includes("no such table")) return [];
      throw error;
    }
  }

  /** Times for each of `reservations`, in their order. */
  reserve(reservations: Reservation[]): Reserved[] {
    const now = Date.now();
    if (this.paces.size > MOST_PACES)
      for (const [account, { nextAt, nextReturnAt }] of this.paces)
        if (Math.max(nextAt, nextReturnAt) < now) this.paces.delete(account);
    return reservations.map((one) => this.reserveOne(one, now));
  }

  private reserveOne(reservation: Reservation, now: number): Reserved {
    const { account, ratePerSecond } = reservation;
    const before = this.paces.get(account) ?? UNPACED;
    const { pace, starts, returnAt } = reserveTimes(
      before,
      reservation,
      this.pausedUntil(account, now),
      now,
    );
    if (ratePerSecond !== undefined) this.paces.set(account, pace);
    return { starts, returnAt };
  }

  private pausedUntil(account: string, now: number): number {
    const until = this.pauses.get(account) ?? 0;
    if (until > now || until === 0) return until;
    this.pauses.delete(account);
    this.ctx.storage.sql.exec("DELETE FROM pauses WHERE account = ?", account);
    return 0;
  }

  /** A request was sent without waiting: the next reservation starts that much later. */
  spend(account: string, ratePerSecond: number): void {
    const pace = this.paces.get(account) ?? UNPACED;
    const nextAt = Math.max(pace.nextAt, Date.now()) + 1000 / ratePerSecond;
    this.paces.set(account, { ...pace, nextAt });
  }

  /** The vendor refused a request for its rate: none before `until`, or before a later instant it named already. */
  pause(account: string, until: number): void {
    const now = Date.now();
    const latest = Math.min(Math.max(until, this.pauses.get(account) ?? 0), now + LONGEST_PAUSE_MS);
    if (latest <= now || latest === this.pauses.get(account)) return;
    this.pauses.set(account, latest);
    if (this.note.take()) this.ctx.storage.sql.exec(TABLE);
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO pauses VALUES (?, ?)", account, latest);
  }

  /** Once a day: without a pause that lasts there is nothing to keep. It is erased, and then that it is there. */
  async upkeep(): Promise<void> {
    const now = Date.now();
    if (this.pauses.values().some((until) => until > now)) return;
    await this.ctx.blockConcurrencyWhile(async () => {
      this.pauses.clear();
      this.note.forget();
      await this.ctx.storage.deleteAll();
      await forgetObject(this.env.DB, "budget", this.ctx.id.name ?? "");
    });
  }

  /** Deletes all that is stored here, and what is known in memory. */
  async erase(): Promise<void> {
    for (const known of [this.paces, this.pauses, this.waiting]) known.clear();
    this.note.forget();
    await this.ctx.storage.deleteAll();
  }

  /**
   * Lets one poll of an account in at a time, until it leaves or has not called for twenty seconds. This is only in
   * memory: after a restart of this object a second poll may begin beside the first. That does no harm, since events
   * seen by both have the same ids.
   */
  enter(account: string, token: string, line?: Line): Entered {
    const now = Date.now();
    const inside = this.serialPolls.get(account);
    if (inside === undefined || inside.until <= now || inside.token === token) {
      this.serialPolls.set(account, { token, until: now + SERIAL_POLL_MS });
      if (line !== undefined) this.waitingMessages.delete(line.name);
      return { kind: "entered" };
    }
    if (line === undefined) return { kind: "behind", waits: false };
    for (const [name, until] of this.waitingMessages)
      if (until <= now) this.waitingMessages.delete(name);
    const waits = !line.again && this.waitingMessages.has(line.name);
    if (!waits) this.waitingMessages.set(line.name, now + RETURN_MS);
    return { kind: "behind", waits };
  }

  leave(account: string, token: string): void {
    if (this.serialPolls.get(account)?.token === token) this.serialPolls.delete(account);
  }

  /**
   * Notes that the polls of these instances come back at `until`. @returns the ids that were not waiting yet: only
   * they need a new message. With `again` they come from a message that waited, and all are returned.
   */
  wait(ids: number[], until: number, again: boolean): number[] {
    const now = Date.now();
    for (const [id, at] of this.waiting) if (at <= now) this.waiting.delete(id);
    const fresh = again ? ids : ids.filter((id) => !this.waiting.has(id));
    for (const id of fresh) this.waiting.set(id, until);
    return fresh;
  }
}
