import { flattened, nestsDeeper } from "./depth";
import { isObject } from "./record";

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
/** With source text access, which TypeScript's library doesn't know yet. */
const parse = JSON.parse as (text: string, reviver?: Reviver) => unknown;

/**
 * Reads JSON that others wrote. A whole number that a double cannot hold becomes its own text, so that ids
 * and cursors keep their digits; so does everything deeper than 500 levels, so that one such record does not keep
 * the others from being read.
 */
export function parseExactly(json: string): { ok: true; value: unknown } | { ok: false } {
  const text = flattened(json);
  try {
    // A reviver is slow, and few texts have a number that long.
    return { ok: true, value: /\d{16}/.test(text) ? parse(text, keepDigits) : parse(text) };
  } catch {
    return { ok: false };
  }
}

const keepDigits: Reviver = (_, value, { source }) =>
  typeof value === "number" &&
  !Number.isSafeInteger(value) &&
  source !== undefined &&
  /^-?\d+$/.test(source)
    ? source
    : value;

/** The value of a JSON text, numbers as doubles; undefined when it is no JSON, or too deep to be read safely. */
export function parsedJson(text: string): { value: unknown } | undefined {
  if (nestsDeeper(text)) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** Writes JSON with the members of objects in the order of their names: the same content has the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
