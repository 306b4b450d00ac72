import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { delayUntil, spread } from "../../src/polling/pacing/spread";

const items = Array.from({ length: 10 }, (_, index) => index);
const parts = (ratePerSecond: number | undefined, requestsEach: number) =>
  spread(items, { returnAt: 10_000, ratePerSecond, requestsEach, now: 0 }).map((part) => [
    part.items.length,
    part.delaySeconds,
  ]);

describe("polls that found no room", () => {
  it.each<[string, number | undefined, number, number[][]]>([
    ["all at once without a rate", undefined, 1, [[10, 10]]],
    [
      "three seconds' worth at a time",
      1,
      1,
      [
        [3, 10],
        [3, 13],
        [3, 16],
        [1, 19],
      ],
    ],
    [
      "fewer when each asks more than once",
      2,
      2,
      [
        [3, 10],
        [3, 13],
        [3, 16],
        [1, 19],
      ],
    ],
    [
      "as many when each asks less than once",
      1,
      0.5,
      [
        [3, 10],
        [3, 13],
        [3, 16],
        [1, 19],
      ],
    ],
  ])("come back %s", (_, ratePerSecond, requestsEach, expected) => {
    expect(parts(ratePerSecond, requestsEach)).toEqual(expected);
  });

  it("come back one by one under a slow rate, each once and in order", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 50, noNaN: true }), (ratePerSecond) => {
        const all = spread(items, { returnAt: 5_000, ratePerSecond, requestsEach: 1, now: 0 });
        expect(all.flatMap((part) => part.items)).toEqual(items);
        const delays = all.map(({ delaySeconds }) => delaySeconds);
        expect(delays).toEqual(delays.toSorted((one, other) => one - other));
      }),
    );
  });

  it.each([
    [0, 1],
    [999, 1],
    [1_999, 1],
    [2_000, 2],
    [1e12, 43_200],
  ])("in %i ms wait %i whole seconds", (at, seconds) => {
    expect(delayUntil(at, 0)).toBe(seconds);
  });
});
