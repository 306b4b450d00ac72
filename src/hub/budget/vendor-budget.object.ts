import { DurableObject } from "cloudflare:workers";
import { type Pace, UNPACED } from "../../delivery/rate";
import type { Entered, Line } from "./limit";
import { type Ask, type Reserved, stand } from "./reservations";

/** The vendor may put everybody off by this much at a time. */
const LONGEST_PAUSE_MS = 86_400_000;
const MOST_PACES = 1_000;
/** A poll that shows no sign of life for this long has left its account. */
const ALONE_MS = 20_000;
/** Who stands in line for an account looks again within this time. */
const IN_LINE_MS = 2_000;

/**
 * What the instances of one organization may ask of one vendor together: starts are evenly spaced, so no
 * window ever sees more than the limit. All in memory; only a pause is written down.
 */
export class VendorBudget extends DurableObject<Env> {
  private readonly paces = new Map<string, Pace>();
  private readonly pauses: Map<string, number>;
  private readonly waiting = new Map<number, number>();
  private readonly alone = new Map<string, { token: string; until: number }>();
  private readonly inLine = new Map<string, number>();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    state.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS pauses (account TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
    );
    const rows = state.storage.sql.exec<{ account: string; until: number }>("SELECT * FROM pauses");
    this.pauses = new Map(rows.toArray().map(({ account, until }) => [account, until]));
  }

  /** Starts for each of `asks`, in their order. */
  reserve(asks: Ask[]): Reserved[] {
    const now = Date.now();
    if (this.paces.size > MOST_PACES)
      for (const [account, { nextAt, nextReturnAt }] of this.paces)
        if (Math.max(nextAt, nextReturnAt) < now) this.paces.delete(account);
    return asks.map((ask) => this.reserveOne(ask, now));
  }

  private reserveOne(ask: Ask, now: number): Reserved {
    const { account, ratePerSecond } = ask;
    const before = this.paces.get(account) ?? UNPACED;
    const { pace, starts, returnAt } = stand(before, ask, this.pausedUntil(account, now), now);
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

  /** A request that did not wait: the polls make room for it. */
  spend(account: string, ratePerSecond: number): void {
    const pace = this.paces.get(account) ?? UNPACED;
    const nextAt = Math.max(pace.nextAt, Date.now()) + 1000 / ratePerSecond;
    this.paces.set(account, { ...pace, nextAt });
  }

  /** The vendor wants to be left alone: of several instants the latest holds. */
  pause(account: string, until: number): void {
    const now = Date.now();
    const latest = Math.min(Math.max(until, this.pauses.get(account) ?? 0), now + LONGEST_PAUSE_MS);
    if (latest <= now || latest === this.pauses.get(account)) return;
    this.pauses.set(account, latest);
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO pauses VALUES (?, ?)", account, latest);
  }

  /**
   * Lets one poll of an account in at a time, for twenty seconds from its last word. Places are in memory:
   * should this object be moved, a second poll may begin, and what they tell is one all the same.
   */
  enter(account: string, token: string, line?: Line): Entered {
    const now = Date.now();
    const inside = this.alone.get(account);
    if (inside === undefined || inside.until <= now || inside.token === token) {
      this.alone.set(account, { token, until: now + ALONE_MS });
      if (line !== undefined) this.inLine.delete(line.name);
      return { kind: "entered" };
    }
    if (line === undefined) return { kind: "behind", waits: false };
    for (const [name, until] of this.inLine) if (until <= now) this.inLine.delete(name);
    const waits = !line.again && this.inLine.has(line.name);
    if (!waits) this.inLine.set(line.name, now + IN_LINE_MS);
    return { kind: "behind", waits };
  }

  leave(account: string, token: string): void {
    if (this.alone.get(account)?.token === token) this.alone.delete(account);
  }

  /**
   * Notes that `ids` come back at `until`. @returns those of them that did not wait already; all of them
   * when they were waiting and are sent away `again`.
   */
  wait(ids: number[], until: number, again: boolean): number[] {
    const now = Date.now();
    for (const [id, at] of this.waiting) if (at <= now) this.waiting.delete(id);
    const fresh = again ? ids : ids.filter((id) => !this.waiting.has(id));
    for (const id of fresh) this.waiting.set(id, until);
    return fresh;
  }
}
