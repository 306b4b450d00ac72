import { describe, expect, it } from "vitest";
import { departure, RatePool } from "../../src/polling/pacing/rate-pool";
import { returnOf } from "../../src/polling/return";

const poolOf = (ratePerSecond?: number) =>
  new RatePool({
    name: "1/hubspot",
    account: "portal",
    isSerial: false,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
  });

describe("RatePool", () => {
  it("reserves what all its polls begin with, and admits as many as got a time", () => {
    const pool = poolOf(10);
    for (const requests of [1, 3, 1]) pool.add(requests);
    expect(pool.reservation({ again: true, forced: false })).toEqual({
      account: "portal",
      wanted: 5,
      ratePerSecond: 10,
      again: true,
    });
    pool.fill({ starts: [100, 200], returnAt: 9_000 });
    // The second poll begins with more than is left, and gets the rest on its way.
    expect([1, 3, 1].map((requests) => pool.admit(requests))).toEqual([true, true, false]);
    expect([pool.next(), pool.next(), pool.next()]).toEqual([100, 200, undefined]);
    expect(pool.returnAt).toBe(9_000);
  });

  it("has no room for more than its polls wanted", () => {
    const pool = poolOf(10);
    pool.add(1);
    pool.fill({ starts: [100, 200], returnAt: null });
    expect([pool.admit(1), pool.admit(1)]).toEqual([true, false]);
  });

  it.each([
    [undefined, 20],
    [0.1, 1],
    [9, 5],
    [1_000, 20],
  ])("at %s requests a second adds %i times at once", (rate, wanted) => {
    expect(poolOf(rate).refill(true)).toMatchObject({ wanted, again: true, forced: true });
  });

  it("drops what was reserved when the vendor refuses, and keeps the later return", () => {
    const pool = poolOf(10);
    pool.add(3);
    pool.fill({ starts: [100, 200, 300], returnAt: null });
    pool.close(5_000);
    pool.close(4_000);
    expect([pool.next(), pool.admit(1), pool.returnAt]).toEqual([undefined, false, 5_000]);
  });
});

describe("departure", () => {
  it.each([
    ["waits for its time", 2_000, 0, 1_900, { kind: "wait", ms: 100 }],
    ["leaves at its time", 2_000, 1_900, 2_000, { kind: "leave" }],
    ["keeps its distance from the one before", 2_100, 2_050, 2_100, { kind: "wait", ms: 50 }],
    ["leaves half a second late", 2_000, 0, 2_500, { kind: "leave" }],
    ["leaves no later", 2_000, 0, 2_501, { kind: "late" }],
    ["gives up when the one before pushes it too far", 2_000, 2_450, 2_460, { kind: "late" }],
    ["is not held up by a clock that was set back", 2_000, 99_000, 2_000, { kind: "leave" }],
  ])("%s", (_, start, last, now, expected) => {
    expect(departure(start, last, 10, now)).toEqual(expected);
  });
});

describe("returnOf", () => {
  const scheduled = { wake: false, again: false, resources: undefined };
  const woken = { ...scheduled, wake: true };
  const unfinished = { ...scheduled, again: true, resources: ["a"] };
  const fast = { lane: "fast", again: true } as const;
  const soon = { ...fast, at: 3_000 };
  it.each([
    ["polled", { kind: "polled", pollDate: 0, resources: [] }, unfinished, undefined],
    ["not polled", { kind: "not-polled", reason: "Off" }, woken, undefined],
    ["busy, by schedule", { kind: "busy", until: 0 }, scheduled, undefined],
    ["busy, woken", { kind: "busy", until: 0 }, woken, { ...soon, resources: undefined }],
    ["busy, unfinished", { kind: "busy", until: 0 }, unfinished, { ...soon, resources: ["a"] }],
    ["postponed, by schedule", { kind: "postponed", until: 9 }, scheduled, undefined],
    [
      "postponed, woken",
      { kind: "postponed", until: 9 },
      woken,
      { ...fast, at: 9, resources: undefined },
    ],
    [
      "behind another of its account",
      { kind: "behind", waits: false },
      scheduled,
      { ...soon, resources: undefined },
    ],
    ["behind, another message waits", { kind: "behind", waits: true }, woken, undefined],
    [
      "crowded",
      { kind: "crowded", until: 9, left: ["b"] },
      unfinished,
      { ...fast, at: 9, resources: ["b"] },
    ],
    [
      "cut before it began, woken",
      { kind: "cut", isBegun: false, left: ["b"] },
      woken,
      { lane: "fast", again: false, at: 1_000, resources: undefined },
    ],
    [
      "cut in the middle, by schedule",
      { kind: "cut", isBegun: true, left: ["b"] },
      scheduled,
      { lane: "slow", again: true, at: 1_000, resources: ["b"] },
    ],
    ["of a silent vendor, tried later", { kind: "unreachable", turn: "later" }, woken, undefined],
    [
      "of a silent vendor, tried now",
      { kind: "unreachable", turn: "slow-lane" },
      scheduled,
      { lane: "slow", again: false, at: 1_000, resources: undefined },
    ],
  ] as const)("%s", (_, report, message, expected) => {
    expect(
      returnOf(
        report as Parameters<typeof returnOf>[0],
        message as Parameters<typeof returnOf>[1],
        1_000,
      ),
    ).toEqual(expected);
  });
});
