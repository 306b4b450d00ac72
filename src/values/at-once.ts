/**
 * Does something with every item, `most` at a time, and goes on when it fails for one.
 * @returns what became of each, in the order of the items.
 */
export async function settledAtOnce<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const settled: PromiseSettledResult<Result>[] = [];
  const next = items.entries();
  const take = async (): Promise<void> => {
    for (const [index, item] of next)
      settled[index] = await work(item).then(
        (value) => ({ status: "fulfilled" as const, value }),
        (reason: unknown) => ({ status: "rejected" as const, reason }),
      );
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, take));
  return settled;
}
