import fc from "fast-check";
import { expect, it } from "vitest";
import { chunks, partition } from "../../src/values/lists";

it("cuts a list into parts of at most so many, none of them empty, nothing lost", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 9 }), (items, most) => {
      const parts = chunks(items, most);
      expect(parts.flat()).toEqual(items);
      expect(parts.length).toBe(Math.ceil(items.length / most));
      for (const part of parts.slice(0, -1)) expect(part).toHaveLength(most);
      expect(parts.every(({ length }) => length > 0)).toBe(true);
    }),
  );
});

it("tells those that pass from those that don't", () => {
  expect(partition([1, 2, 3, 4], (n) => n % 2 === 0)).toEqual([
    [2, 4],
    [1, 3],
  ]);
});
