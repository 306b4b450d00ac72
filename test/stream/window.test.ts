import { describe, expect, it } from "vitest";
import { Leases } from "../../src/stream/outbox/leases";
import { nextInLine, USUAL_WINDOW, Window } from "../../src/stream/outbox/window";
import { VirtualClock } from "../simulation/virtual-clock";

/**
 * Bundles of one notification each that come at a pace, and are delivered after their time on the queue and in the call.
 * @returns how many are delivered in a second, once the stream is under way.
 */
async function deliveredPerSecond(window: Window, perSecond: number, bundleMs: number) {
  const clock = new VirtualClock(1);
  const leases = new Leases();
  let waiting = 0;
  let next = 0;
  let delivered = 0;
  const deliver = async (id: number): Promise<void> => {
    await clock.wait(bundleMs);
    window.settled(true);
    leases.end(id);
    delivered += 1;
    send();
  };
  const send = (): void => {
    for (; waiting > 0 && window.room(leases).fast > 0; waiting -= 1) {
      next += 1;
      leases.begin(next, clock.now, "fast");
      void deliver(next);
    }
    window.isShort = waiting > 0;
  };
  const come = async (): Promise<void> => {
    for (;;) {
      await clock.wait(1_000 / perSecond);
      waiting += 1;
      send();
    }
  };
  void come();
  await clock.run(6_000);
  const before = delivered;
  await clock.run(10 * bundleMs);
  return (delivered - before) / (bundleMs / 100);
}

describe("the window of a stream", () => {
  it.each([
    // 150 ms on the queue and back, and the call.
    [250, 1_000],
    [450, 850],
    [1_150, 330],
  ])(
    "opens as far as calls take: of a thousand lone events a second that take %i ms, it delivers %i and more",
    async (bundleMs, least) => {
      expect(await deliveredPerSecond(new Window(), 1_000, bundleMs)).toBeGreaterThanOrEqual(
        least - 1,
      );
    },
  );

  it("stays as it is while none wait, and is halved by what is not delivered, to fifty at the least", () => {
    const window = new Window();
    const leases = new Leases();
    const after = (times: number, wentWell: boolean): number => {
      for (let time = 0; time < times; time += 1) window.settled(wentWell);
      return window.room(leases).fast;
    };
    expect(after(100, true)).toBe(USUAL_WINDOW);
    window.isShort = true;
    expect([after(30, true), after(1_000, true)]).toEqual([80, 400]);
    expect([after(1, false), after(1, false), after(9, false)]).toEqual([200, 100, USUAL_WINDOW]);
    for (let id = 1; id <= 60; id += 1) leases.begin(id, 0, "fast");
    expect(window.room(leases)).toEqual({ fast: 0, slow: USUAL_WINDOW });
  });

  it("is one for each lane: slow bundles take no place of fast ones", () => {
    const window = new Window();
    const leases = new Leases();
    for (let id = 1; id <= USUAL_WINDOW; id += 1) leases.begin(id, 0, "slow");
    expect(window.room(leases)).toEqual({ fast: USUAL_WINDOW, slow: 0 });
  });
});

describe("the line of fresh bundles", () => {
  const F = "fast" as const;
  const S = "slow" as const;
  const line = (...lanes: ("fast" | "slow" | undefined)[]) =>
    lanes.map((lane, index) => ({ id: index + 1, lane }));
  const idsOf = (bundles: readonly { id: number }[]): number[] => bundles.map(({ id }) => id);

  it.each([
    ["goes as far as there is room", line(F, S, F), [2, 2], [1, 2, 3], [], 3],
    ["ends at a fast one without room", line(F, F, S), [1, 5], [1], [], 1],
    [
      "lets fast ones pass slow ones without room",
      line(S, S, F, S, F),
      [9, 1],
      [1, 3, 5],
      [2, 4],
      5,
    ],
    ["leaves slow ones waiting that nobody passes", line(F, S, S), [9, 1], [1, 2], [], 2],
    ["leaves only slow ones waiting", line(S, S), [9, 0], [], [], 0],
    [
      "is through with those of which nothing is due",
      line(undefined, F, undefined),
      [9, 9],
      [2],
      [],
      3,
    ],
    ["is empty", line(), [9, 9], [], [], 0],
  ] as const)("%s", (_, bundles, [fast, slow], go, passed, through) => {
    const next = nextInLine(bundles, { fast, slow });
    expect([idsOf(next.go), idsOf(next.passed), next.through]).toEqual([go, passed, through]);
    expect(next.isShort).toBe(fast < bundles.filter(({ lane }) => lane === "fast").length);
  });
});
