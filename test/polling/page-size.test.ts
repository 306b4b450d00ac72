import { expect, it } from "vitest";
import { nextPageSize } from "../../src/polling/page-size";

it.each([
  ["stays while pages are of a usual size", 100, 500_000, 100, 100],
  ["shrinks after a page of 10 MB, to about 1 MB", 100, 10_000_000, 100, 10],
  ["counts the records that came, not those that were asked for", 100, 10_000_000, 20, 2],
  ["is one at least", 100, 10_000_000, 2, 1],
  ["stays when one record alone is large", 1, 10_000_000, 1, 1],
  ["grows after a small page", 10, 100_000, 10, 20],
  ["stays at the end of a list", 10, 100_000, 3, 10],
  ["grows to what is usual at most", 80, 100, 80, 100],
])("%s", (_, size, units, records, next) => {
  expect(nextPageSize(size, 100, { units, records })).toBe(next);
});
