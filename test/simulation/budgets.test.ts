import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Pace, UNPACED } from "../../src/delivery/rate";
import type { RateSlots } from "../../src/hub/budget/limit";
import { HORIZON_MS, type Reservation, reserveTimes } from "../../src/hub/budget/reservations";
import type { Instance } from "../../src/instances/instance";
import { type PacingDoors, reservePolls } from "../../src/polling/pacing/rate-slots.io";
import { delayUntil } from "../../src/polling/pacing/spread";
import type { PollMessage } from "../../src/stream/poll-message";
import { sendPolls } from "../../src/stream/polls-queue.io";
import { settledAtOnce } from "../../src/values/at-once";
import type { Millis } from "../../src/values/instant";
import { cases } from "../cases";
import { VirtualClock } from "./virtual-clock";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const SECOND = 1_000;
/** What the vendor allows an account in any second. */
const RATE = 20;
const POLLS = 200;
const POLLS_A_MESSAGE = 10;
/** Polls of a message that an isolate makes at the same time. */
const AT_ONCE = 6;
/** A request leaves this long after its reserved time at most. */
const LATE_MS = 500;
/** A message whose isolate died comes again after this time. */
const AGAIN_MS = 5_000;

type Load = {
  isolates: number;
  seed: number;
  /** The most pages of a poll, each a request. Those after the first are reserved on the way. */
  pages: number;
  /** How long a message to the budget takes, and one back. */
  messageMs: (clock: VirtualClock) => number;
  /** Isolates that die in a second, with all that they do. */
  deathsPerSecond: number;
  /** The vendor refuses all requests between these times from the start. */
  refuses: { from: number; until: number };
};

type Figures = {
  /** When requests left for the vendor, and when those that it refused, in ms after the start. */
  requests: Millis[];
  refused: Millis[];
  /** Queue messages whose polls were refused. */
  refusedMessages: number;
  unfinished: number;
  /** When the last poll was done. */
  doneAt: Millis;
};

/** Each has an organization of its own, so that none sees what the module remembers of another. */
let isolatesMade = 0;

class One {
  readonly organizationId = (isolatesMade += 1);
  readonly polls = new Set<number>();
  lives = true;
}

/** The rules of a budget's object, for one account. */
class Keeper {
  private pace: Pace = UNPACED;
  private pausedUntil = 0;

  reserve(reservations: readonly Reservation[], now: Millis) {
    return reservations.map((one) => {
      const { pace, ...reserved } = reserveTimes(this.pace, one, this.pausedUntil, now);
      this.pace = pace;
      return reserved;
    });
  }

  pause(until: Millis): void {
    this.pausedUntil = Math.max(this.pausedUntil, until);
  }
}

const instanceOf = (id: number, { organizationId }: One): Instance =>
  ({
    id,
    organizationId,
    connector: {
      key: "vendor",
      rateLimit: { requests: RATE, seconds: 1, per: "account", pauseSeconds: 60 },
      authentication: { type: "apiKey", configurationKey: "key" },
      events: { polling: {}, pollingOnRequest: {} },
      resources: {},
    },
    configuration: { key: "one-account" },
  }) as unknown as Instance;

/** Isolates that poll one account of a vendor all at once, with the code that paces polls and a clock of their own. */
async function simulate(load: Load): Promise<Figures> {
  const clock = new VirtualClock(load.seed);
  const start = clock.now;
  vi.stubGlobal("scheduler", { wait: clock.wait });
  vi.spyOn(Date, "now").mockImplementation(() => clock.now);
  const keeper = new Keeper();
  const left = new Map(Array.from({ length: POLLS }, (_, i) => [i + 1, 1 + (i % load.pages)]));
  const figures = { requests: [] as Millis[], refused: [] as Millis[], doneAt: 0 };
  const refusedMessages = new Set<object>();
  let all = Array.from({ length: load.isolates }, () => new One());

  const alive = async <T>(one: One, ms: number, then: () => T): Promise<T> => {
    await clock.wait(ms);
    return one.lives ? then() : new Promise<never>(() => {});
  };
  const message = async <T>(one: One, handle: () => T): Promise<T> => {
    const answer = await alive(one, load.messageMs(clock), handle);
    return alive(one, load.messageMs(clock), () => answer);
  };
  const hand = async (polls: PollMessage, ms: number): Promise<void> => {
    await clock.wait(ms);
    void consume(all[Math.floor(clock.chance() * all.length)] ?? new One(), polls);
  };
  const doorsOf = (one: One): PacingDoors =>
    ({
      budgets: {
        getByName: () => ({
          reserve: (wanted: Reservation[]) => message(one, () => keeper.reserve(wanted, clock.now)),
          pause: (_: string, until: Millis) => message(one, () => keeper.pause(until)),
          wait: (ids: number[]) => message(one, () => ids),
        }),
      },
      polls: {
        sendBatch: (sent: { body: PollMessage }[], { delaySeconds }: { delaySeconds: number }) => {
          for (const { body } of sent) {
            for (const id of body.ids) one.polls.delete(id);
            void hand(body, delaySeconds * SECOND + clock.between(0, 200));
          }
        },
      },
    }) as unknown as PacingDoors;

  /** @returns until when the vendor refuses. */
  const request = async (one: One, from: object): Promise<Millis | undefined> => {
    const at = clock.now - start;
    figures.requests.push(at);
    const { refuses } = load;
    const isRefused = at >= refuses.from && at < refuses.until;
    if (isRefused) {
      figures.refused.push(at);
      refusedMessages.add(from);
    }
    return alive(one, clock.between(50, 300), () =>
      isRefused ? start + refuses.until : undefined,
    );
  };
  const poll = async (one: One, id: number, slots: RateSlots, from: object): Promise<void> => {
    const back = (at: Millis): Promise<void> =>
      sendPolls(doorsOf(one).polls, [{ ids: [id], again: true }], delayUntil(at, clock.now));
    for (let more = left.get(id) ?? 0; more > 0; left.set(id, (more -= 1))) {
      const taken = await slots.take();
      if (!one.lives) return;
      if (taken.kind === "crowded") return back(taken.until);
      const until = await request(one, from);
      if (until === undefined) continue;
      await slots.refused(until);
      return back(until);
    }
    left.delete(id);
    one.polls.delete(id);
    figures.doneAt = clock.now - start;
  };
  const consume = async (one: One, polls: PollMessage): Promise<void> => {
    const { ids, again = false } = polls;
    for (const id of ids) one.polls.add(id);
    const due = ids.map((id) => instanceOf(id, one));
    const pacer = await reservePolls(due, doorsOf(one), { again, forced: false });
    const withoutRoom: Instance[] = [];
    await settledAtOnce(due, AT_ONCE, async (instance) => {
      const slots = pacer.slotsOf(instance);
      if (slots === undefined) throw new Error("The account has no budget");
      if (pacer.admits(instance)) return poll(one, instance.id, slots, polls);
      withoutRoom.push(instance);
    });
    await pacer.putBack(withoutRoom, { wake: false, again, resources: undefined });
  };

  for (let first = 1; first <= POLLS; first += POLLS_A_MESSAGE) {
    const ids = Array.from({ length: POLLS_A_MESSAGE }, (_, index) => first + index);
    void hand({ ids }, clock.between(0, 100));
  }
  const dies = async (): Promise<void> => {
    while (load.deathsPerSecond > 0) {
      await clock.wait(clock.untilNext(load.deathsPerSecond));
      const dead = all[Math.floor(clock.chance() * all.length)];
      if (dead === undefined) continue;
      dead.lives = false;
      all = all.map((one) => (one === dead ? new One() : one));
      if (dead.polls.size > 0) void hand({ ids: [...dead.polls] }, AGAIN_MS);
    }
  };
  void dies();
  await clock.run(180 * SECOND);
  return { ...figures, refusedMessages: refusedMessages.size, unfinished: left.size };
}

const calm: Omit<Load, "isolates" | "seed"> = {
  pages: 3,
  messageMs: (clock) => clock.between(1, 18),
  deathsPerSecond: 0,
  refuses: { from: 0, until: 0 },
};

/** The most that come in any window of so many milliseconds. */
function most(instants: readonly Millis[], ms: number): number {
  let from = 0;
  return Math.max(
    ...instants.map((at, index) => {
      while ((instants[from] ?? at) <= at - ms) from += 1;
      return index - from + 1;
    }),
  );
}

const eachSeed = (check: (seed: number) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(fc.integer(), check), { numRuns: cases(3, 50) });

describe.each([1, 20, 200])("a vendor's budget that %i isolates share", (isolates) => {
  it("is never exceeded in any second by polls of one request each, and serves them all in twice the time that its rate takes", () =>
    eachSeed(async (seed) => {
      const { requests, unfinished, doneAt } = await simulate({
        ...calm,
        isolates,
        seed,
        pages: 1,
      });
      expect(unfinished).toBe(0);
      expect(requests.length).toBe(POLLS);
      expect(most(requests, SECOND)).toBeLessThanOrEqual(RATE);
      expect(doneAt).toBeLessThanOrEqual((2 * POLLS * SECOND) / RATE);
    }));

  it("is exceeded by no more than the requests that leave late, though isolates die and messages are late, and every poll is served", () =>
    eachSeed(async (seed) => {
      const { requests, unfinished } = await simulate({
        ...calm,
        isolates,
        seed,
        messageMs: (clock) => (clock.chance() < 0.1 ? clock.between(200, 3_000) : 10),
        deathsPerSecond: Math.max(0.1, isolates / 40),
      });
      expect(unfinished).toBe(0);
      for (const ms of [SECOND, 10 * SECOND])
        expect(most(requests, ms)).toBeLessThanOrEqual((RATE * (ms + LATE_MS)) / SECOND + 1);
    }));

  it("is closed to all when the vendor refuses one, but for times that were reserved before, and serves all after that", () =>
    eachSeed(async (seed) => {
      const refuses = { from: 3 * SECOND, until: 40 * SECOND };
      const figures = await simulate({ ...calm, isolates, seed, refuses });
      expect(Math.max(...figures.refused)).toBeLessThanOrEqual(refuses.from + HORIZON_MS + LATE_MS);
      expect(figures.refused.length).toBeLessThanOrEqual(AT_ONCE * figures.refusedMessages);
      expect(figures.unfinished).toBe(0);
      expect(figures.doneAt).toBeLessThanOrEqual(refuses.until + 2 * 20 * SECOND);
    }));
});
