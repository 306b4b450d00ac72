import { DEEPEST_STORED, flattened, nestsDeeper } from "./depth";
import { mayLoseDigits, memberJson, rawJson } from "./digits";
import { ExactReader } from "./exact-reader";
import { isObject } from "./record";

type Reviver = (this: object, key: string, value: unknown, context: { source?: string }) => unknown;
/** With source text access, which TypeScript's library doesn't know yet. */
const parse = JSON.parse as (text: string, reviver?: Reviver) => unknown;

/**
 * The value of JSON text, whose numbers lose nothing: code sees a number where a double holds it, else its text
 * (`9130350000000000001`, `1e400`), and when the value is written again each number is as it was (`digits.ts`).
 * @throws SyntaxError when it is no JSON.
 */
export function jsonValue(text: string): unknown {
  if (!mayLoseDigits(text)) return JSON.parse(text);
  // Only to see that it is JSON: the value is not held beside the exact one.
  JSON.parse(text);
  return new ExactReader(text).read();
}

/**
 * A copy of a member's value that can be taken apart: each number whose digits a double would change is an object of
 * its own (`isRawNumber`), which is written as it was wherever it is moved to.
 */
export function movable(holder: object, key: string): unknown {
  const text = memberJson(holder, key);
  return mayLoseDigits(text) ? parse(text, withRawNumbers) : parse(text);
}

const withRawNumbers: Reviver = (_, value, { source }) =>
  typeof value === "number" && source !== undefined && JSON.stringify(value) !== source
    ? rawJson(source)
    : value;

/**
 * Reads JSON that others wrote. What is deeper than 500 levels becomes a string of its JSON, so that one such record
 * does not keep the others from being read.
 */
export function parseExactly(json: string): { ok: true; value: unknown } | { ok: false } {
  try {
    return { ok: true, value: jsonValue(flattened(json)) };
  } catch {
    return { ok: false };
  }
}

/** The value of a JSON text; undefined when it is no JSON, or too deep to be read safely. */
export function parsedJson(text: string): { value: unknown } | undefined {
  if (nestsDeeper(text)) return undefined;
  try {
    return { value: jsonValue(text) };
  } catch {
    return undefined;
  }
}

/** Reads JSON that we stored ourselves; some of it is older than the bound on depth. */
export function parseStored(text: string): unknown {
  return jsonValue(flattened(text, DEEPEST_STORED));
}

/**
 * Writes JSON with the members of objects in the order of their names: the same content has the same text, whichever
 * way its numbers were written (`1.1`, `1.10`).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, function (this: object, key) {
    // Not what `toJSON` made of it.
    const inner: unknown = Reflect.get(this, key);
    if (Array.isArray(inner)) return [...inner];
    return isObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });
}
