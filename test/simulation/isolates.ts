import { vi } from "vitest";
import { Isolate } from "../../src/delivery/admission.io";
import { EndpointCalls } from "../../src/delivery/call-endpoint.io";
import type { Ready } from "../../src/delivery/call.io";
import type { Group, GroupDoors } from "../../src/delivery/deliver.io";
import type { Admission, AdmitRequest, Report } from "../../src/delivery/endpoint.object";
import { Limiter } from "../../src/delivery/limiter";
import type { Holder } from "../../src/delivery/seats";
import type { Millis } from "../../src/values/instant";
import { VirtualClock } from "./virtual-clock";

const CONNECTIONS = 6;
const URL = "https://receiver.example/";

/** What of an endpoint decides about seats. */
export type SeatKeeper = {
  admit: (request: AdmitRequest, now: Millis) => Admission;
  hold: (holder: Holder, now: Millis) => void;
  report: (report: Report, now: Millis) => void;
};

export type Load = {
  isolates: number;
  callsPerSecond: number;
  seconds: number;
  seed: number;
  /** How many calls each message of the next batch holds. */
  batch: (clock: VirtualClock) => number[];
  callsPerBatch: number;
  /** How long a call takes, and a message to the endpoint or back. */
  callMs: (clock: VirtualClock) => number;
  messageMs: (clock: VirtualClock) => number;
  /** The destination takes so many calls at a time; absent: all that the endpoint has seats for. */
  concurrency?: number;
  /** Isolates that die each second, with all that they do. */
  deathsPerSecond: number;
};

export type Figures = {
  calls: number;
  /** Of a hundred calls, so many were turned away. */
  refusedPercent: number;
  requestsPerCall: number;
  mostUnderWay: number;
};

/** An isolate, as it runs in production: its module state, and whether it still lives. */
class One {
  readonly isolate = new Isolate();
  lives = true;
  underWay = 0;
}

/**
 * Isolates that call one receiver, with the code that makes the calls and a clock of their own. Batches come to any of
 * them, messages to the endpoint take their time, and an isolate may die in the middle of all.
 */
export async function simulate(load: Load, keeper: SeatKeeper): Promise<Figures> {
  const clock = new VirtualClock(load.seed);
  vi.stubGlobal("scheduler", { wait: clock.wait });
  vi.spyOn(Date, "now").mockImplementation(() => clock.now);
  const sum = { calls: 0, refused: 0, requests: 0, mostUnderWay: 0 };
  let underWay = 0;
  let all = Array.from({ length: load.isolates }, () => new One());

  const call = async (one: One): Promise<void> => {
    if (!one.lives) return new Promise(() => {});
    one.underWay += 1;
    underWay += 1;
    sum.mostUnderWay = Math.max(sum.mostUnderWay, underWay);
    await clock.wait(load.callMs(clock));
    one.underWay -= 1;
    if (one.lives) underWay -= 1;
  };

  const message = async <T>(one: One, handle: () => T): Promise<T> => {
    if (!one.lives) return new Promise(() => {});
    sum.requests += 1;
    await clock.wait(load.messageMs(clock));
    const answer = handle();
    await clock.wait(load.messageMs(clock));
    return answer;
  };
  const endpointOf = (one: One): unknown => ({
    admit: (request: AdmitRequest) => message(one, () => keeper.admit(request, clock.now)),
    hold: (holder: Holder) => message(one, () => keeper.hold(holder, clock.now)),
    report: (report: Report) =>
      message(one, () => {
        keeper.report(report, clock.now);
        return { opened: false, nextProbeAt: null };
      }),
  });

  const consume = async (one: One): Promise<void> => {
    const doors = doorsOf(one, endpointOf(one));
    const limiter = new Limiter(CONNECTIONS);
    for (const size of load.batch(clock)) {
      sum.calls += size;
      const ready = Array.from({ length: size }, (_, seq) =>
        readyToCall(seq, clock, () => call(one)),
      );
      void new EndpointCalls("endpoint", size, groupOf(load, clock.now), doors, limiter)
        .make(ready)
        .then(({ outcomes }) => {
          sum.refused += outcomes.filter(({ next }) => next.kind !== "delivered").length;
        });
    }
  };

  const each = async (perSecond: number, happens: () => Promise<void>): Promise<void> => {
    while (perSecond > 0) {
      await clock.wait(clock.untilNext(perSecond));
      void happens();
    }
  };
  const anyOne = (): One => all[Math.floor(clock.chance() * all.length)] ?? new One();
  void each(load.callsPerSecond / load.callsPerBatch, () => consume(anyOne()));
  void each(load.deathsPerSecond, async () => {
    const dead = anyOne();
    dead.lives = false;
    underWay -= dead.underWay;
    all = all.map((one) => (one === dead ? new One() : one));
  });
  await clock.run(load.seconds * 1_000);
  return {
    calls: sum.calls,
    refusedPercent: (100 * sum.refused) / sum.calls,
    requestsPerCall: sum.requests / sum.calls,
    mostUnderWay: sum.mostUnderWay,
  };
}

const groupOf = ({ concurrency }: Load, now: Millis): Group =>
  ({
    stream: "1/instance:1",
    destination: { id: "destination", url: URL, policy: { concurrency } },
    policy: {},
    items: [],
    leaseUntil: now + 45_000,
  }) as unknown as Group;

const doorsOf = ({ isolate }: One, endpoint: unknown): GroupDoors =>
  ({ isolate, endpoints: { getByName: () => endpoint }, handlers: {} }) as unknown as GroupDoors;

const readyToCall = (seq: number, clock: VirtualClock, call: () => Promise<void>): Ready => ({
  item: { seq, n: 1, createdAt: clock.now } as Ready["item"],
  url: URL,
  call: async () => {
    await call();
    const next = { kind: "delivered" as const, at: clock.now };
    return { outcome: { seq, n: 1, next }, result: { status: 200 } };
  },
});
