import type { Millis } from "../../values/instant";

/** Where a list is cut is known to lie from `low` to `high`: so many of its items are before the cut. */
export type Cut = { low: number; high: number };

/** An item of a list that was looked at: its place in the list, and when it was made. */
export type Sample = { place: number; at: Millis };

/** The most items of one list that a round looks at. */
const SAMPLES = 32;

/** The places of a list to look at in the next round, evenly spread over where its cut may be. */
export function placesOf({ low, high }: Cut): number[] {
  const count = Math.min(SAMPLES, high - low);
  return Array.from(
    { length: count },
    (_, index) => low + Math.floor(((high - low) * index) / count),
  );
}

/**
 * Several lists, each newest first, are read as one list, newest first (of the same instant, by list). The first `wanted`
 * items of it are the first few of each list. @returns what `samples` of each list tell about how many.
 */
export function narrowed(
  cuts: readonly Cut[],
  samples: readonly (readonly Sample[])[],
  wanted: number,
): Cut[] {
  const isBefore = (one: Sample, list: number, other: Sample, otherList: number): boolean =>
    one.at > other.at ||
    (one.at === other.at && (list < otherList || (list === otherList && one.place < other.place)));
  return cuts.map((cut, list) => {
    let { low, high } = cut;
    for (const sample of samples[list] ?? []) {
      let [least, most] = [0, 0];
      cuts.forEach((other, otherList) => {
        const seen = samples[otherList] ?? [];
        const after = firstIndex(seen, (one) => !isBefore(one, otherList, sample, list));
        const lastBefore = seen[after - 1];
        least += lastBefore === undefined ? other.low : lastBefore.place + 1;
        most += seen[after]?.place ?? other.high;
      });
      if (most < wanted) low = Math.max(low, sample.place + 1);
      else if (least >= wanted) high = Math.min(high, sample.place);
    }
    return { low, high: Math.max(low, high) };
  });
}

/** By halving: the index of the first item that passes; none before it does, and all after it do. */
function firstIndex<Item>(items: readonly Item[], passes: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const item = items[middle];
    if (item !== undefined && passes(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
