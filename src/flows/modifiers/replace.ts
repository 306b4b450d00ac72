import { RE2JS } from "re2js";
import { ModifierFault, stringOf, truthy } from "./argument";
import type { Budget } from "./budget";

const MOST_PATTERN = 1_000;
const MOST_RESULT = 16_777_216;

/** `g_replace`. Patterns run on RE2, whose time grows with the text times the pattern, never exponentially. */
export function replaced(
  whole: string,
  parameters: Record<string, unknown>,
  budget: Budget,
): string {
  const { pattern, replacer, regex, global, ignorecase } = parameters;
  const [wanted, by] = [stringOf(pattern), stringOf(replacer)];
  const all = global === undefined || truthy(global);
  if (whole.length * (1 + by.length) > MOST_RESULT)
    throw new ModifierFault(`The result could be larger than ${MOST_RESULT} characters`);
  if (!truthy(regex) && !truthy(ignorecase))
    return all ? whole.replaceAll(wanted, () => by) : whole.replace(wanted, () => by);
  const compiled = matcherOf(parameters);
  budget.spend(compiled.programSize() * whole.length);
  const literal = truthy(regex) ? by : RE2JS.quoteReplacement(by, false);
  const matcher = compiled.matcher(whole);
  return all ? matcher.replaceAll(literal, false) : matcher.replaceFirst(literal, false);
}

/** @throws when the engine does not know the pattern: back references and look-around, or too many repeats. */
export function matcherOf({
  pattern,
  multiline,
  ignorecase,
  regex,
}: Record<string, unknown>): RE2JS {
  const flags =
    (truthy(multiline) ? RE2JS.MULTILINE : 0) | (truthy(ignorecase) ? RE2JS.CASE_INSENSITIVE : 0);
  const source = stringOf(pattern);
  if (source.length > MOST_PATTERN)
    throw new ModifierFault(`Expected a pattern of at most ${MOST_PATTERN} characters`);
  return RE2JS.compile(truthy(regex) ? source : RE2JS.quote(source), flags);
}
