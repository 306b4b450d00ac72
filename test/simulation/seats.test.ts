import { afterEach, describe, expect, it, vi } from "vitest";
import { CONCURRENCY, type Holder, Seats } from "../../src/delivery/seats";
import { type Load, type SeatKeeper, simulate } from "./isolates";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const CROWDED_MS = 1_000;

/** A healthy endpoint without a rate, as far as seats go. */
function endpoint(): SeatKeeper {
  const seats = new Seats();
  return {
    admit: ({ holder, wanted, ready = wanted, destinationId, concurrency }, now) => {
      const pool = concurrency === undefined ? undefined : { id: destinationId, most: concurrency };
      const grant = seats.grant(holder, ready, now, pool);
      return grant === null
        ? { kind: "paced", starts: [], returnAt: now + CROWDED_MS }
        : { kind: "granted", ...grant };
    },
    hold: (holder, now) => seats.hold(holder, now),
    report: ({ holder }, now) => holder !== undefined && seats.hold(holder, now),
  };
}

/** One that runs the version before: it granted half of what was free, counted it for six seconds, and took nothing back. */
function endpointOfBefore(): SeatKeeper {
  const grants = new Map<string, { calls: number; forgottenAt: number }>();
  const hold = ({ id, busy }: Holder, now: number): void => {
    if (busy === 0) grants.delete(id);
    else grants.set(id, { calls: busy, forgottenAt: now + 6_000 });
  };
  return {
    admit: ({ holder }, now) => {
      hold(holder, now);
      for (const [id, { forgottenAt }] of grants) if (forgottenAt <= now) grants.delete(id);
      const taken = grants.values().reduce((sum, { calls }) => sum + calls, 0);
      const more = Math.min(24, Math.ceil((CONCURRENCY - taken) / 2));
      if (more <= 0) return { kind: "paced", starts: [], returnAt: now + CROWDED_MS };
      hold({ ...holder, busy: holder.busy + more }, now);
      return { kind: "granted", calls: holder.busy + more, givesBack: false };
    },
    hold,
    report: () => {},
  };
}

/** Ten calls to a message of a batch, to a receiver that takes 100 ms. */
const load = (isolates: number, callsPerSecond: number): Load => ({
  isolates,
  callsPerSecond,
  seconds: 12,
  seed: isolates + callsPerSecond,
  batch: () => [10],
  callsPerBatch: 10,
  callMs: (clock) => clock.between(80, 120),
  messageMs: (clock) => clock.between(2, 30),
  deathsPerSecond: 0,
});

const lone: Partial<Load> = { batch: () => [1], callsPerBatch: 1 };
const uneven: Partial<Load> = {
  batch: (clock) => Array.from({ length: 4 }, () => Math.ceil(clock.between(0, 5))),
  callsPerBatch: 12,
};

describe("the seats of an endpoint that many isolates call", () => {
  it.each<[number, number, string, Partial<Load>, number, number]>([
    [1, 200, "tens", {}, 0, 0.2],
    [20, 200, "tens", {}, 1, 0.2],
    [200, 200, "tens", {}, 1, 0.2],
    [200, 200, "uneven numbers", uneven, 1, 0.2],
    // Asked for, and given back while the endpoint is busy.
    [200, 200, "ones", lone, 1, 2],
    [20, 500, "tens", {}, 6, 0.2],
    [200, 500, "tens", {}, 6, 0.2],
    [200, 500, "uneven numbers", uneven, 6, 0.2],
    [200, 500, "ones", lone, 6, 2],
  ])(
    "with %i isolates, %i calls a second that come in %s",
    async (isolates, perSecond, _, change, refused, requests) => {
      const figures = await simulate({ ...load(isolates, perSecond), ...change }, endpoint());
      expect(figures.calls).toBeGreaterThan(perSecond * 10);
      expect(figures.refusedPercent).toBeLessThanOrEqual(refused);
      expect(figures.requestsPerCall).toBeLessThanOrEqual(requests);
      expect(figures.mostUnderWay).toBeLessThanOrEqual(CONCURRENCY);
    },
  );

  it("starve most calls of 200 isolates where an endpoint gives out halves, counts them for six seconds and takes none back", async () => {
    const figures = await simulate(load(200, 200), endpointOfBefore());
    expect(figures.refusedPercent).toBeGreaterThan(50);
    expect(figures.mostUnderWay).toBeLessThanOrEqual(CONCURRENCY);
  });

  it.each([20, 200])(
    "are never more than a hundred, though isolates die, calls hang, and messages are late or overtake one another: %i isolates",
    async (isolates) => {
      const rough: Load = {
        ...load(isolates, 500),
        seconds: 20,
        deathsPerSecond: isolates / 40,
        callMs: (clock) => (clock.chance() < 0.03 ? clock.between(1_000, 30_000) : 100),
        messageMs: (clock) => (clock.chance() < 0.1 ? clock.between(500, 8_000) : 10),
      };
      const figures = await simulate(rough, endpoint());
      expect(figures.mostUnderWay).toBeGreaterThan(50);
      expect(figures.mostUnderWay).toBeLessThanOrEqual(CONCURRENCY);
    },
  );

  it.each([
    [1, 1],
    [20, 5],
    [200, 5],
  ])(
    "are never more than a destination says, though isolates die and messages are late: %i isolates, %i at a time",
    async (isolates, concurrency) => {
      const rough: Load = {
        ...load(isolates, 100),
        concurrency,
        deathsPerSecond: isolates / 100,
        messageMs: (clock) => (clock.chance() < 0.05 ? clock.between(500, 8_000) : 10),
      };
      const figures = await simulate(rough, endpoint());
      expect(figures.mostUnderWay).toBe(concurrency);
    },
  );

  it.each([1, 20, 200])(
    "that a destination has to itself are used: %i isolates",
    async (isolates) => {
      // Twice as many calls as the fifty a second that it takes, five at a time.
      const all = { ...load(isolates, 100), concurrency: 5 };
      const { calls, refusedPercent, mostUnderWay } = await simulate(all, endpoint());
      expect((calls * (100 - refusedPercent)) / 100 / all.seconds).toBeGreaterThan(30);
      expect(mostUnderWay).toBe(5);
    },
  );
});
