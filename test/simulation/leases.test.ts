import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEAST_LEASE_MS } from "../../src/delivery/call-time";
import { DELIVERY_LEASE_MS, Leases } from "../../src/stream/outbox/leases";
import { PollLease } from "../../src/stream/poll-lease";
import { returnOf } from "../../src/polling/return";
import type { Millis } from "../../src/values/instant";
import { cases } from "../cases";
import { VirtualClock } from "./virtual-clock";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const eachSeed = (check: (seed: number) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(fc.integer(), check), { numRuns: cases(3, 50) });

/** How long a poll's lease lasts after its last sign of life, and how often it gives one. */
const POLL_LEASE_MS = 20 * SECOND;
const RENEW_EVERY_MS = 8 * SECOND;
/** What asked for a poll that found another one running comes again after this time. */
const RETRY_MS = 2 * SECOND;
const WOKEN = { wake: true, again: false, resources: undefined };

type Polling = {
  isolates: number;
  seed: number;
  messageMs: (clock: VirtualClock) => number;
};

type Polled = {
  commits: number;
  deaths: number;
  /** Polls that ran at the same time, by their own knowledge. */
  mostUnderWay: number;
  /** Commits that were accepted after one of a later poll. */
  overtaken: number;
  /** Polls let in while another one's lease lasted, and polls turned away when none did. */
  misjudged: number;
  /** The longest that nobody had the lease while wakes waited. */
  longestFreeMs: Millis;
  /** The longest that the lease of a dead isolate was kept from those that wait. */
  longestDeadMs: Millis;
};

/** The right to poll, and the version of the cursor that the poll reads. */
type Granted = { token: string; grant: number; version: number };

class One {
  readonly name: string;
  lives = true;
  constructor(name: string) {
    this.name = name;
  }
}

/** Isolates that are woken to poll one source, one wake each again and again, and die in the middle of polls. */
async function poll({ isolates, seed, messageMs }: Polling): Promise<Polled> {
  const clock = new VirtualClock(seed);
  const lease = new PollLease();
  const sum = { commits: 0, deaths: 0, mostUnderWay: 0, overtaken: 0, misjudged: 0 };
  const longest = { free: 0, dead: 0 };
  let underWay = 0;
  let tokens = 0;
  let polls = 0;
  let version = 0;
  /** The latest grant, by its number, and the latest of which a commit was accepted. */
  let granted = 0;
  let committed = 0;
  let holder = "";
  let lastSign = 0;
  let freeSince: Millis | undefined;
  let diedAt: Millis | undefined;

  const message = async <T>(one: One, handle: () => T): Promise<T> => {
    await clock.wait(messageMs(clock));
    const answer = handle();
    await clock.wait(messageMs(clock));
    return one.lives ? answer : new Promise<never>(() => {});
  };
  /** At the stream: grants the lease, or says until when another has it. */
  const open = (one: One, token: string): { until: Millis } | Granted => {
    const until = lease.acquire(one.name, token, clock.now);
    const isOver = freeSince !== undefined || clock.now >= lastSign + POLL_LEASE_MS;
    if ((until === null) !== (isOver || holder === one.name)) sum.misjudged += 1;
    if (until !== null) return { until };
    granted += 1;
    holder = one.name;
    lastSign = clock.now;
    if (freeSince !== undefined) longest.free = Math.max(longest.free, clock.now - freeSince);
    if (diedAt !== undefined) longest.dead = Math.max(longest.dead, clock.now - diedAt);
    freeSince = diedAt = undefined;
    return { token, grant: granted, version };
  };
  const renew = (token: string, grant: number): void => {
    lease.renew(token, clock.now);
    if (grant === granted) lastSign = clock.now;
  };
  /** As the stream takes a commit. @returns null: it is refused. */
  const commit = ({ token, grant }: Granted, expect: number): number | null => {
    if (lease.isLost(token) || expect !== version) return null;
    renew(token, grant);
    sum.commits += 1;
    if (grant < committed) sum.overtaken += 1;
    committed = grant;
    return (version += 1);
  };
  const run = async (one: One, grant: Granted): Promise<void> => {
    const { token } = grant;
    const dies = (polls += 1) % 4 === 0;
    underWay += 1;
    sum.mostUnderWay = Math.max(sum.mostUnderWay, underWay);
    const end = clock.now + clock.between(SECOND, 40 * SECOND);
    let read: number | null = grant.version;
    while (clock.now < end && read !== null) {
      await clock.wait(Math.min(RENEW_EVERY_MS, end - clock.now));
      void message(one, () => renew(token, grant.grant));
      const expected: number = read;
      read = await message(one, () => commit(grant, expected));
    }
    underWay -= 1;
    if (dies) {
      one.lives = false;
      sum.deaths += 1;
      diedAt = clock.now;
      return;
    }
    await message(one, () => {
      if (granted === grant.grant) freeSince = clock.now;
      lease.release(token);
    });
  };
  const wake = async (one: One): Promise<void> => {
    for (;;) {
      const token = `token ${(tokens += 1)}`;
      const opened = await message(one, () => open(one, token));
      if ("token" in opened) return run(one, opened);
      const back = returnOf({ kind: "busy", ...opened }, WOKEN, clock.now);
      if (back === undefined) throw new Error("The wake is lost");
      await clock.wait(back.at - clock.now);
    }
  };
  const live = async (index: number): Promise<void> => {
    for (let life = 0; ; life += 1) {
      const one = new One(`${index}, ${life}`);
      while (one.lives) {
        await wake(one);
        await clock.wait(clock.between(0, SECOND));
      }
    }
  };
  for (let index = 0; index < isolates; index += 1) void live(index);
  await clock.run(5 * MINUTE);
  return { ...sum, longestFreeMs: longest.free, longestDeadMs: longest.dead };
}

describe.each([1, 20, 200])("the lease of a source that %i isolates poll", (isolates) => {
  it("is never of two polls, outlives a dead isolate by its time, and is taken at the next try of those that wait", () =>
    eachSeed(async (seed) => {
      const latest = 500;
      const messageMs = (clock: VirtualClock): Millis => clock.between(1, latest);
      const polled = await poll({ isolates, seed, messageMs });
      expect(polled.deaths).toBeGreaterThan(0);
      expect(polled.mostUnderWay).toBe(1);
      expect([polled.overtaken, polled.misjudged]).toEqual([0, 0]);
      const nextTry = RETRY_MS + 2 * latest;
      expect(polled.longestFreeMs).toBeLessThanOrEqual(nextTry + latest);
      expect(polled.longestDeadMs).toBeLessThanOrEqual(POLL_LEASE_MS + nextTry + latest);
    }));

  it("and the cursor's version let no poll commit after a later one, though messages take longer than the lease lasts", () =>
    eachSeed(async (seed) => {
      const messageMs = (clock: VirtualClock): Millis =>
        clock.chance() < 0.1 ? clock.between(5 * SECOND, 60 * SECOND) : 10;
      const polled = await poll({ isolates, seed, messageMs });
      expect(polled.commits).toBeGreaterThan(1);
      expect([polled.overtaken, polled.misjudged]).toEqual([0, 0]);
    }));
});

/** A consumer that has this long calls and settles, or is dead. */
const CALLS_MS = LEAST_LEASE_MS - 2 * SECOND;
const BUNDLES = 200;

type Delivering = {
  isolates: number;
  seed: number;
  /** How long the queue takes for a message. */
  queueMs: (clock: VirtualClock) => number;
  /** Of a hundred consumers that took a bundle, so many die. */
  deathsPercent: number;
};

type Delivered = {
  unsettled: number;
  mostSends: number;
  extensions: number;
  /** The most consumers that had one bundle under a lease, at an instant. */
  mostHolders: number;
  /** The longest that a bundle was not sent again after the lease of its dead consumer had ended. */
  longestDeadMs: Millis;
};

/** A stream that sends its bundles through a queue to isolates, sends those again whose leases ran out, and ends those that are settled. */
async function deliver({ isolates, seed, queueMs, deathsPercent }: Delivering): Promise<Delivered> {
  const clock = new VirtualClock(seed);
  const leases = new Leases();
  const sends = new Map<number, number>();
  const settled = new Set<number>();
  const holders = new Map<number, Millis[]>();
  const died = new Map<number, Millis>();
  const free = Array.from({ length: isolates }, () => clock.now);
  const most = { sends: 0, holders: 0, dead: 0, extensions: 0 };

  const hold = (id: number, from: Millis, until: Millis): void => {
    const now = [...(holders.get(id) ?? []).filter((end) => end > from), until];
    holders.set(id, now);
    most.holders = Math.max(most.holders, now.length);
  };
  const consume = async (id: number, leaseUntil: Millis): Promise<void> => {
    await clock.wait(queueMs(clock));
    // The isolate that is free first takes it.
    const isolate = free.indexOf(Math.min(...free));
    free[isolate] = Math.max(free[isolate] ?? 0, clock.now) + 10;
    await clock.wait((free[isolate] ?? 0) - clock.now);
    let until: Millis | null = leaseUntil;
    if (leaseUntil < clock.now + LEAST_LEASE_MS) {
      await clock.wait(clock.between(1, 50));
      until = leases.extend(id, leaseUntil, clock.now);
      if (until === null) return;
      most.extensions += 1;
      // A copy of the message asks with the same end, and is refused.
      if (leases.extend(id, leaseUntil, clock.now) !== null) hold(id, clock.now, until);
    }
    const end = clock.now + clock.between(SECOND, CALLS_MS);
    hold(id, clock.now, end);
    if (clock.chance() * 100 < deathsPercent) return void died.set(id, until);
    await clock.wait(end - clock.now);
    settled.add(id);
    leases.end(id);
  };
  const send = (id: number): void => {
    const sent = (sends.get(id) ?? 0) + 1;
    sends.set(id, sent);
    most.sends = Math.max(most.sends, sent);
    const until = died.get(id);
    if (until !== undefined) most.dead = Math.max(most.dead, clock.now - until);
    died.delete(id);
    void consume(id, leases.begin(id, clock.now));
  };
  /** As the stream's alarm: at the end of the lease that ends first. */
  const alarm = async (): Promise<void> => {
    for (;;) {
      await clock.wait(Math.min(DELIVERY_LEASE_MS, ...leases.ends.map((end) => end - clock.now)));
      for (const id of leases.expire(clock.now)) send(id);
      if (leases.ends.some((end) => end <= clock.now)) throw new Error("A lease outlived its end");
    }
  };
  for (let id = 1; id <= BUNDLES; id += 1) send(id);
  void alarm();
  await clock.run(60 * MINUTE);
  const unsettled = BUNDLES - settled.size;
  return {
    unsettled,
    mostSends: most.sends,
    extensions: most.extensions,
    mostHolders: most.holders,
    longestDeadMs: most.dead,
  };
}

describe.each([1, 20, 200])("the leases of bundles that %i isolates deliver", (isolates) => {
  it("are never of two consumers, and a dead one's bundle is sent again as soon as its lease ends", () =>
    eachSeed(async (seed) => {
      const delivered = await deliver({
        isolates,
        seed,
        queueMs: (clock) => clock.between(100, 44_000),
        deathsPercent: 30,
      });
      expect(delivered.unsettled).toBe(0);
      expect(delivered.extensions).toBeGreaterThan(0);
      expect(delivered.mostHolders).toBe(1);
      expect(delivered.longestDeadMs).toBeLessThanOrEqual(1);
    }));

  it("double until a slow queue hands every bundle over in time: none is sent more than four times", () =>
    eachSeed(async (seed) => {
      const slowest = 7 * DELIVERY_LEASE_MS;
      const delivered = await deliver({
        isolates,
        seed,
        queueMs: (clock) => clock.between(DELIVERY_LEASE_MS, slowest),
        deathsPercent: 0,
      });
      expect(delivered.unsettled).toBe(0);
      expect(delivered.mostHolders).toBe(1);
      expect(delivered.mostSends).toBeGreaterThan(1);
      expect(delivered.mostSends).toBeLessThanOrEqual(4);
    }));
});
