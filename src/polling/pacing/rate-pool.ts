import { type Budget, budgetOf } from "../../hub/budget/limit";
import type { Reservation, Reserved } from "../../hub/budget/reservations";
import type { Instance } from "../../instances/instance";
import { requestsOfPoll } from "../settings";

/** A request leaves this long after its reserved time at most: later it would meet the requests reserved after it. */
const LATE_MS = 500;
/** When a poll needs more times than were reserved, as many are added as its rate allows in half a second. */
const REFILL_SECONDS = 0.5;
const MOST_REFILL = 20;

/** How polls reserve. `again`: they waited before, and go first. `forced`: a person wants them, pause or not. */
export type Precedence = { again: boolean; forced: boolean };

/** The times reserved for those polls of one queue message that share a rate budget. Instants in epoch ms. */
export class RatePool {
  readonly budget: Budget;
  /** Requests that polls may begin with. Before `fill`: that they want to begin with. */
  private room = 0;
  /** Reserved times that no request has used yet, earliest first. */
  private times: number[] = [];
  /** When the polls come back for which there was no room. */
  returnAt = 0;

  constructor(budget: Budget) {
    this.budget = budget;
  }

  /** Another poll begins with this many requests. Called before `fill`. */
  add(requests: number): void {
    this.room += requests;
  }

  /** What to reserve before the first poll begins. */
  reservation(precedence: Precedence): Reservation {
    return this.reservationOf(this.room, precedence);
  }

  /** What to reserve for a poll under way when the reserved times are used up. */
  refill(forced: boolean): Reservation {
    const { ratePerSecond = Infinity } = this.budget;
    const wanted = Math.min(Math.max(Math.ceil(ratePerSecond * REFILL_SECONDS), 1), MOST_REFILL);
    return this.reservationOf(wanted, { again: true, forced });
  }

  private reservationOf(wanted: number, { again, forced }: Precedence): Reservation {
    const { account, ratePerSecond } = this.budget;
    return {
      account,
      wanted,
      again,
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      ...(forced ? { forced: true as const } : {}),
    };
  }

  /** The answer to `reservation`. */
  fill({ starts, returnAt }: Reserved): void {
    this.addTimes(starts);
    this.room = Math.min(this.room, starts.length);
    this.returnAt = returnAt ?? 0;
  }

  /** The answer to `refill`. */
  addTimes(starts: readonly number[]): void {
    this.times.push(...starts);
  }

  /** Whether a poll that begins with this many requests may begin; it takes its part of the room. */
  admit(requests: number): boolean {
    if (this.room <= 0) return false;
    this.room -= requests;
    return true;
  }

  /** Takes the next reserved time. */
  next(): number | undefined {
    return this.times.shift();
  }

  /** The vendor refuses requests before `until`: what was reserved is void. */
  close(until: number): void {
    this.times = [];
    this.room = 0;
    this.returnAt = Math.max(this.returnAt, until);
  }
}

export type Member = { pool: RatePool; requests: number };

/** The pools of these instances' budgets, and each instance's, of which `only` these resources are polled; an instance without a budget has none. */
export function poolsOf(
  due: readonly Instance[],
  only: (instance: Instance) => readonly string[] | undefined,
): ReadonlyMap<number, Member> {
  const pools = new Map<string, RatePool>();
  const members = new Map<number, Member>();
  for (const instance of due) {
    const budget = budgetOf(instance);
    if (budget === undefined) continue;
    const key = JSON.stringify([budget.name, budget.account, budget.ratePerSecond]);
    const pool = pools.get(key) ?? new RatePool(budget);
    pools.set(key, pool);
    const requests = requestsOfPoll(instance, only(instance));
    pool.add(requests);
    members.set(instance.id, { pool, requests });
  }
  return members;
}

/**
 * Whether a request reserved for `start` leaves now, waits, or has come too late for it. Requests of one budget are kept
 * apart by its rate even when this isolate was busy at their times. Example: at 10 requests a second, one reserved
 * for 2.0 s left at 2.05 s; that reserved for 2.1 s leaves at 2.15 s.
 * @param last when the last request of the budget left this isolate.
 */
export function departure(
  start: number,
  last: number,
  ratePerSecond: number,
  now: number,
): { kind: "leave" } | { kind: "wait"; ms: number } | { kind: "late" } {
  // A clock that was set back must not hold everybody until it has caught up.
  const at = last > now ? start : Math.max(start, last + 1000 / ratePerSecond);
  if (Math.max(at, now) - start > LATE_MS) return { kind: "late" };
  return at <= now ? { kind: "leave" } : { kind: "wait", ms: at - now };
}
