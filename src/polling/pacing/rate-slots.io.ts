import { type Budget, budgetOf, type RateSlots } from "../../hub/budget/limit";
import { type PollsQueue, sendPolls } from "../../stream/polls-queue.io";
import { HORIZON_MS } from "../../hub/budget/reservations";
import type { Instance } from "../../instances/instance";
import { requestsOfPoll } from "../settings";
import { delayUntil, spread } from "./spread";
import { Cache } from "../../values/cache";

/** The turns that the polls of one message take at their vendors: reserved together, used one by one. */

export type TurnDoors = { budgets: Env["VENDOR_BUDGETS"]; polls: PollsQueue };

/** A start is used this late at most: later ones would fall together with those after them. */
const LATE_MS = 500;
/** More starts are asked for as will be used in this time. */
const REFILL_SECONDS = 0.5;
const MOST_REFILL = 20;

type Pool = {
  budget: Budget;
  /** Instants that no request used yet, earliest first. */
  starts: number[];
  /** Requests that polls may still begin with. */
  room: number;
  /** When those without room come back. */
  returnAt: number;
};

/** When the last request of a budget left this isolate: what waits here together leaves spaced all the same. */
const lastStarts = new Cache<string, number>(1_000);

export type Turns = {
  /** Whether this instance's poll may begin; it takes its part of the room. */
  admits(instance: Instance): boolean;
  of(instance: Instance): RateSlots | undefined;
  /** Puts those that were not admitted back on the queue, for when there is room. */
  sendAway(instances: readonly Instance[], message: Came): Promise<void>;
};

/** How the instances came: woken, sent away before, for some of their resources only. */
export type Came = { wake: boolean; again: boolean; resources?: string[] | undefined };

type Asked = { again: boolean; forced: boolean; only?: readonly string[] | undefined };

/** Reserves for all of `due` at once: one request for each object that keeps a budget of theirs. */
export async function takeTurns(
  due: readonly Instance[],
  doors: TurnDoors,
  asked: Asked,
): Promise<Turns> {
  const pools = new Map<string, Pool>();
  const members = new Map<number, { pool: Pool; requests: number }>();
  for (const instance of due) {
    const budget = budgetOf(instance);
    if (budget === undefined) continue;
    const key = JSON.stringify([budget.name, budget.account, budget.ratePerSecond]);
    const pool = pools.get(key) ?? { budget, starts: [], room: 0, returnAt: 0 };
    pools.set(key, pool);
    const requests = requestsOfPoll(instance, asked.only);
    pool.room += requests;
    members.set(instance.id, { pool, requests });
  }
  const named = Map.groupBy(pools.values(), ({ budget }) => budget.name);
  await Promise.all([...named].map(([name, its]) => fill(name, its, doors, asked)));
  return {
    admits(instance) {
      const member = members.get(instance.id);
      if (member === undefined) return true;
      if (member.pool.room <= 0) return false;
      member.pool.room -= member.requests;
      return true;
    },
    of(instance) {
      const pool = members.get(instance.id)?.pool;
      if (pool === undefined) return undefined;
      return {
        take: () => take(pool, doors, asked.forced),
        async refused(until) {
          Object.assign(pool, { starts: [], room: 0, returnAt: Math.max(pool.returnAt, until) });
          const { name, account } = pool.budget;
          await doors.budgets.getByName(name).pause(account, until);
        },
        ...(pool.budget.isSerial ? { serial: serialOf(pool.budget, doors) } : {}),
      };
    },
    async sendAway(instances, message) {
      for (const [pool, all] of Map.groupBy(instances, ({ id }) => members.get(id)?.pool)) {
        const requests = all.reduce((sum, { id }) => sum + (members.get(id)?.requests ?? 1), 0);
        if (pool !== undefined) await sendBack(pool, all, requests, doors, message);
      }
    },
  };
}

function serialOf(
  { name, account }: Budget,
  { budgets }: TurnDoors,
): NonNullable<RateSlots["serial"]> {
  const object = budgets.getByName(name);
  return {
    enter: async (token, line) => object.enter(account, token, line),
    leave: async (token) => object.leave(account, token),
  };
}

async function fill(
  name: string,
  pools: readonly Pool[],
  { budgets }: TurnDoors,
  { again, forced }: Asked,
): Promise<void> {
  const asks = pools.map(({ budget, room }) => askOf(budget, room, { again, forced }));
  const answers = await budgets.getByName(name).reserve(asks);
  for (const [index, { starts, returnAt }] of answers.entries()) {
    const pool = pools[index];
    if (pool === undefined) continue;
    pool.starts.push(...starts);
    pool.room = Math.min(pool.room, starts.length);
    pool.returnAt = returnAt ?? 0;
  }
}

function askOf(
  { account, ratePerSecond }: Budget,
  wanted: number,
  { again, forced }: { again: boolean; forced: boolean },
) {
  return {
    account,
    wanted,
    again,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    ...(forced ? { forced: true as const } : {}),
  };
}

/** Waits for the next start; more of them are reserved when all are used. */
async function take(pool: Pool, doors: TurnDoors, forced: boolean): ReturnType<RateSlots["take"]> {
  for (;;) {
    if (pool.starts.length === 0) {
      const returnAt = await refill(pool, doors, forced);
      if (pool.starts.length === 0) return { kind: "crowded", until: returnAt };
    }
    const start = pool.starts.shift() ?? 0;
    if (await leave(pool.budget, start)) return { kind: "go" };
  }
}

/** Waits until `start`, and until what left before is far enough away. @returns false when it got too late. */
async function leave({ name, account, ratePerSecond }: Budget, start: number): Promise<boolean> {
  if (ratePerSecond === undefined) return true;
  const key = `${name}|${account}`;
  for (;;) {
    const now = Date.now();
    const last = lastStarts.get(key, now) ?? 0;
    // A clock that was set back must not hold everybody until it has caught up.
    const at = last > now ? start : Math.max(start, last + 1000 / ratePerSecond);
    if (Math.max(at, now) - start > LATE_MS) return false;
    if (at <= now) {
      lastStarts.set(key, now, now + HORIZON_MS);
      return true;
    }
    await scheduler.wait(at - now);
  }
}

/** @returns when to come back, if there was no room. */
async function refill(pool: Pool, { budgets }: TurnDoors, forced: boolean): Promise<number> {
  const { name, ratePerSecond = Infinity } = pool.budget;
  const wanted = Math.min(Math.max(Math.ceil(ratePerSecond * REFILL_SECONDS), 1), MOST_REFILL);
  const ask = askOf(pool.budget, wanted, { again: true, forced });
  const [answer] = await budgets.getByName(name).reserve([ask]);
  pool.starts.push(...(answer?.starts ?? []));
  return answer?.returnAt ?? Date.now();
}

async function sendBack(
  { budget: { name, ratePerSecond }, returnAt }: Pool,
  instances: readonly Instance[],
  requests: number,
  { budgets, polls }: TurnDoors,
  { wake, again, resources }: Came,
): Promise<void> {
  const now = Date.now();
  const ids = instances.map(({ id }) => id);
  const requestsEach = requests / ids.length;
  const lastAt = returnAt + (requests / (ratePerSecond ?? Infinity)) * 1000;
  // Who waits already is not put in line once more by the next tick.
  const fresh = await budgets.getByName(name).wait(ids, lastAt, again || wake);
  const parts = spread(fresh, { returnAt, ratePerSecond, requestsEach, now });
  for (const { items, delaySeconds } of parts)
    await sendPolls(polls, [{ ids: items, wake, again: true, resources }], delaySeconds);
}

/** Puts one instance back on the queue: the rest of its poll had no room. */
export async function comeBack(
  { id }: Pick<Instance, "id">,
  { polls }: TurnDoors,
  until: number,
  { wake, resources }: Omit<Came, "again">,
): Promise<void> {
  const delaySeconds = delayUntil(until, Date.now());
  await sendPolls(polls, [{ ids: [id], wake, again: true, resources }], delaySeconds);
}
