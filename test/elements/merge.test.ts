import fc from "fast-check";
import { expect, it } from "vitest";
import { type Cut, narrowed, placesOf } from "../../src/elements/history/merge";

const list = fc
  .array(fc.nat(40), { maxLength: 200 })
  .map((times) => times.toSorted((left, right) => right - left));

it("cuts lists where the first items of all of them end, whatever stands at the same instant", () => {
  fc.assert(
    fc.property(fc.array(list, { maxLength: 5 }), fc.nat(1_000), (lists, wanted) => {
      const all = lists
        .flatMap((times, index) => times.map((at, place) => ({ at, index, place })))
        .toSorted((a, b) => b.at - a.at || a.index - b.index || a.place - b.place);
      const first = all.slice(0, wanted);
      const expected = lists.map((_, index) => first.filter((one) => one.index === index).length);
      let cuts: Cut[] = lists.map((times) => ({ low: 0, high: Math.min(times.length, wanted) }));
      for (let round = 0; round < 16 && cuts.some(({ low, high }) => low < high); round += 1) {
        const samples = lists.map((times, index) =>
          placesOf(cuts[index] ?? { low: 0, high: 0 }).map((place) => ({
            place,
            at: times[place] ?? 0,
          })),
        );
        cuts = narrowed(cuts, samples, Math.min(wanted, all.length));
      }
      expect(cuts).toEqual(expected.map((count) => ({ low: count, high: count })));
    }),
    { numRuns: 200 },
  );
});
