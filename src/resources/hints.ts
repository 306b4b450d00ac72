import { beginningOf } from "./pattern";
import type { Expression, Value } from "./rsql";

/** Names and scopes that every row of the answer must have, so that the list reads only a part of an index. */
export type Hints = {
  names?: { kind: "one"; names: string[] } | { kind: "prefix"; prefix: string };
  scopeName?: string;
};

/** Read from the tests that an expression joins by `and` at its top. Names are always in lower case. */
export function hintsOf(expression: Expression): Hints {
  const tests = expression.kind === "and" ? expression.parts : [expression];
  const hints: Hints = {};
  for (const test of tests) {
    if (test.kind !== "test") continue;
    const [value] = test.values;
    if (value === undefined || (value.text === "null" && !value.quoted)) continue;
    const { property, operator, values } = test;
    const names = property === "name" ? nameHint(operator, value, values) : undefined;
    if (names !== undefined) hints.names ??= names;
    const beginning = beginningOf(value.pattern);
    const whole = operator === "equal" || (operator === "like" && beginning.isWhole);
    // Names of scopes are lower-case, so both operators mean the same for a lower-case value.
    if (property === "metadata.scope.name" && whole)
      hints.scopeName ??= operator === "like" ? beginning.text : value.text;
  }
  return hints;
}

function nameHint(
  operator: string,
  { text, pattern }: Value,
  values: readonly Value[],
): NonNullable<Hints["names"]> | undefined {
  if (operator === "in") return { kind: "one", names: values.map((value) => value.text) };
  if (operator === "equal") return { kind: "one", names: [text] };
  if (operator !== "like") return undefined;
  const { text: prefix, isWhole } = beginningOf(pattern);
  if (isWhole) return { kind: "one", names: [prefix] };
  return prefix === "" ? undefined : { kind: "prefix", prefix };
}
