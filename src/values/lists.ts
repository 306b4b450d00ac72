/** `items` in parts of at most `most`, in their order. */
export function chunks<Item>(items: readonly Item[], most: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  );
}

/** Numbers as ranges from lowest to highest, both included; those that are at most `gap` apart share one. */
export function rangesOf(numbers: Iterable<number>, gap: number): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const number of [...numbers].toSorted((left, right) => left - right)) {
    const last = ranges.at(-1);
    if (last !== undefined && number - last.to <= gap) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges;
}

/** Those that pass the test, and those that don't; both in their order. */
export function partition<Item>(
  items: readonly Item[],
  test: (item: Item) => boolean,
): [Item[], Item[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
