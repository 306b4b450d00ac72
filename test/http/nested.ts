/** JSON of so many levels, as text. */
export const lists = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
export const objects = (levels: number): string =>
  '{"a":'.repeat(levels - 1) + "{}" + "}".repeat(levels - 1);

/** What no reader that calls itself for each level survives. */
export const CASES = [6_000, 100_000].flatMap((levels) => [
  { levels, text: lists(levels) },
  { levels, text: objects(levels) },
]);
