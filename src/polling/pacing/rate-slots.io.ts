import type { Budget, RateSlots } from "../../hub/budget/limit";
import { HORIZON_MS } from "../../hub/budget/reservations";
import type { Instance } from "../../instances/instance";
import type { ReceivedPolls } from "../../stream/poll-message";
import { type PollsQueue, sendPolls } from "../../stream/polls-queue.io";
import { Cache } from "../../values/cache";
import { departure, type Member, poolsOf, type Precedence, type RatePool } from "./rate-pool";
import { spread } from "./spread";

/**
 * How polls keep to their vendor's rate budget (`hub/budget/limit.ts` says which instances share one).
 *
 * Before the polls of a queue message begin, the times of their first requests are reserved, in one call for each
 * `VendorBudget` object. A poll for which there is no room within five seconds goes back on the queue, and comes when
 * there is; it then goes before new ones. A poll that needs more requests reserves more on its way; when it finds no room, it
 * commits what it has, and goes on later with the pages and resources that are left.
 *
 * Example: a vendor allows 4 requests a second, and 40 of its instances are due, each with one list. Twenty get a time
 * within five seconds and are polled, one every quarter of a second. The other twenty go back on the queue in parts, as
 * many in each as the vendor allows in three seconds.
 */

export type PacingDoors = { budgets: Env["VENDOR_BUDGETS"]; polls: PollsQueue };

/** When the last request of a budget left this isolate. */
const lastDepartures = new Cache<string, number>(1_000);

/** Paces the polls of one message. */
export type Pacer = {
  /** Whether this instance's poll may begin; it takes its part of the room. */
  admits(instance: Instance): boolean;
  /** What paces the instance's requests; undefined when nothing limits them. */
  slotsOf(instance: Instance): RateSlots | undefined;
  /** Puts those that were not admitted back on the queue, for when there is room. */
  putBack(instances: readonly Instance[], message: Origin): Promise<void>;
};

/** What a message that is put back keeps of the one it came with. */
export type Origin = Pick<ReceivedPolls, "wake" | "again" | "resources" | "minutes">;

/** Reserves times for the polls of all instances that are due: one request for each object that keeps a budget of theirs. */
export async function reservePolls(
  due: readonly Instance[],
  doors: PacingDoors,
  {
    only = () => undefined,
    ...precedence
  }: Precedence & { only?: (instance: Instance) => readonly string[] | undefined },
): Promise<Pacer> {
  const members = poolsOf(due, only);
  const pools = new Set([...members.values()].map(({ pool }) => pool));
  const byObject = Map.groupBy(pools, ({ budget }) => budget.name);
  await Promise.all(
    [...byObject].map(([name, sharing]) => reserveFirst(name, sharing, doors, precedence)),
  );
  return {
    admits({ id }) {
      const member = members.get(id);
      return member === undefined || member.pool.admit(member.requests);
    },
    slotsOf({ id }) {
      const pool = members.get(id)?.pool;
      return pool && slotsOf(pool, doors, precedence.forced);
    },
    async putBack(instances, message) {
      for (const [pool, away] of Map.groupBy(instances, ({ id }) => members.get(id)?.pool))
        if (pool !== undefined) await putBack(pool, away, members, doors, message);
    },
  };
}

async function reserveFirst(
  name: string,
  pools: readonly RatePool[],
  { budgets }: PacingDoors,
  precedence: Precedence,
): Promise<void> {
  const reservations = pools.map((pool) => pool.reservation(precedence));
  const reserved = await budgets.getByName(name).reserve(reservations);
  for (const [index, one] of reserved.entries()) pools[index]?.fill(one);
}

function slotsOf(pool: RatePool, doors: PacingDoors, forced: boolean): RateSlots {
  const { name, account, isSerial } = pool.budget;
  const object = doors.budgets.getByName(name);
  const serial: RateSlots["serial"] = {
    enter: async (token, line) => object.enter(account, token, line),
    leave: async (token) => object.leave(account, token),
  };
  return {
    take: () => take(pool, doors, forced),
    async refused(until) {
      pool.close(until);
      await object.pause(account, until);
    },
    ...(isSerial ? { serial } : {}),
  };
}

/** Waits for the next reserved time; reserves more when all are used. */
async function take(
  pool: RatePool,
  doors: PacingDoors,
  forced: boolean,
): ReturnType<RateSlots["take"]> {
  for (;;) {
    let start = pool.next();
    if (start === undefined) {
      const returnAt = await refill(pool, doors, forced);
      start = pool.next();
      if (start === undefined) return { kind: "crowded", until: returnAt };
    }
    if (await waitUntilDeparture(pool.budget, start)) return { kind: "go" };
  }
}

/** @returns when to come back, if there was no room. */
async function refill(pool: RatePool, { budgets }: PacingDoors, forced: boolean): Promise<number> {
  const [reserved] = await budgets.getByName(pool.budget.name).reserve([pool.refill(forced)]);
  pool.addTimes(reserved?.starts ?? []);
  return reserved?.returnAt ?? Date.now();
}

/** @returns false when it got too late for the time reserved. */
async function waitUntilDeparture(
  { name, account, ratePerSecond }: Budget,
  start: number,
): Promise<boolean> {
  if (ratePerSecond === undefined) return true;
  const key = `${name}|${account}`;
  for (;;) {
    const now = Date.now();
    const decided = departure(start, lastDepartures.get(key, now) ?? 0, ratePerSecond, now);
    switch (decided.kind) {
      case "late":
        return false;
      case "leave":
        lastDepartures.set(key, now, now + HORIZON_MS);
        return true;
      case "wait":
        await scheduler.wait(decided.ms);
    }
  }
}

/** Puts instances of one budget back on the queue: those that do not wait there already because of an earlier tick. */
async function putBack(
  { budget: { name, ratePerSecond }, returnAt }: RatePool,
  instances: readonly Instance[],
  members: ReadonlyMap<number, Member>,
  { budgets, polls }: PacingDoors,
  { wake, again, resources, minutes }: Origin,
): Promise<void> {
  const now = Date.now();
  const ids = instances.map(({ id }) => id);
  const requests = ids.reduce((sum, id) => sum + (members.get(id)?.requests ?? 1), 0);
  const requestsEach = requests / ids.length;
  const lastAt = returnAt + (requests / (ratePerSecond ?? Infinity)) * 1000;
  const fresh = await budgets.getByName(name).wait(ids, lastAt, again || wake);
  const parts = spread(fresh, { returnAt, ratePerSecond, requestsEach, now });
  for (const { items, delaySeconds } of parts)
    await sendPolls(polls, [{ ids: items, wake, again: true, resources, minutes }], delaySeconds);
}
