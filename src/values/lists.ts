/** `items` in parts of at most `most`, in their order. */
export function chunks<Item>(items: readonly Item[], most: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  );
}

/** Those that pass the test, and those that don't; both in their order. */
export function partition<Item>(
  items: readonly Item[],
  test: (item: Item) => boolean,
): [Item[], Item[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
