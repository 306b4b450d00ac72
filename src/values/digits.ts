import { withoutTrailing } from "./text";

/**
 * Numbers whose text a double would change: `9130350000000000001` and `1e400` lose their value, `1.10` and `-0` their
 * form. The text is kept beside the object or list that holds the number, and stands there again when that is
 * written as JSON, whoever writes it. A copy made member by member forgets it, unless it is told (`copyDigits`).
 */

/** Members of a JSON object by name. */
export type Members = Record<string, unknown>;

/** The texts of a holder's numbers, by the member's name or place. */
const kept = new WeakMap<object, Map<string, string>>();

type RawJson = {
  rawJSON(this: void, text: string): object;
  isRawJSON(this: void, value: unknown): boolean;
};
/** An object that is written as the JSON text; whether a value is one. TypeScript's library doesn't know them yet. */
export const { rawJSON: rawJson, isRawJSON: isRawNumber } = JSON as typeof JSON & RawJson;

/** Whether JSON text may hold a number of that kind. It may say yes for a text that holds none. */
export const mayLoseDigits = (json: string): boolean =>
  /\d{16}|(?:^|[\s:,[])-0(?:$|[\s,}\]])|(?:^|[\s:,[])-?[\d.]+[eE]|\.\d*0(?:$|[\s,}\]])/.test(json);

/**
 * What code sees of a number whose text is `source`, which is `value` as a double: a number, or its text when no double
 * is as large or as exact. Whole numbers above 2^53 are always texts.
 */
export const seenOf = (value: number, source: string): number | string =>
  isSafe(value, source) ? value : source;

/** Up to so many digits, every decimal number is told apart from its neighbours by a double. */
const SURE_DIGITS = 15;

function isSafe(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  if (!/[.eE]/.test(source)) return Number.isSafeInteger(value);
  if (source.length <= SURE_DIGITS && !/[eE]/.test(source)) return true;
  return decimal(source) === decimal(`${value}`);
}

/** How a member was written, when that is not how its value would be. */
export function digitsOf(holder: object, key: string): string | undefined {
  const text = kept.get(holder)?.get(key);
  return text !== undefined && isUnchanged(holder, key, text) ? text : undefined;
}

/** Whether some member of it was written otherwise than its value would be. */
export const keepsDigits = (holder: object): boolean => kept.has(holder);

/** `copy`, which has members of `original`, writes its numbers as `original` does. */
export function copyDigits<T extends object>(original: object, copy: T): T {
  const texts = kept.get(original);
  if (texts === undefined) return copy;
  const own = textsOf(copy);
  for (const [key, text] of texts) own.set(key, text);
  return copy;
}

/**
 * `copy`, which a schema made of `original`, writes its numbers as `original` does, at every level. Parts that are
 * shared, not copied, do so already.
 */
export function digitsAlong<T>(original: unknown, copy: T): T {
  if (typeof original !== "object" || original === null || Object.is(original, copy)) return copy;
  if (typeof copy !== "object" || copy === null) return copy;
  for (const [key, member] of Object.entries(copy))
    if (typeof member === "object" && member !== null && Object.hasOwn(original, key))
      digitsAlong(Reflect.get(original, key), member);
  return copyDigits(original, copy);
}

/** The JSON text of a member. */
export function memberJson(holder: object, key: string): string {
  return digitsOf(holder, key) ?? JSON.stringify(Reflect.get(holder, key));
}

/** The member `key` of `holder` is written as the JSON number `text`. */
export function keepDigits(holder: object, key: string, text: string): void {
  textsOf(holder).set(key, text);
}

/** The texts of a holder's numbers, by member; from now on it is written with them. */
function textsOf(holder: object): Map<string, string> {
  const before = kept.get(holder);
  if (before !== undefined) return before;
  const texts = new Map<string, string>();
  kept.set(holder, texts);
  // A member of that name is data, and stays.
  if (!Object.hasOwn(holder, "toJSON"))
    Object.defineProperty(holder, "toJSON", {
      value: written,
      enumerable: false,
      configurable: true,
      writable: true,
    });
  return texts;
}

/** What `JSON.stringify` writes in place of `this`. */
function written(this: object): object {
  const copy: object = Array.isArray(this) ? [...this] : { ...this };
  for (const [key, text] of kept.get(this) ?? [])
    if (isUnchanged(this, key, text))
      Object.defineProperty(copy, key, { value: rawJson(text), enumerable: true });
  return copy;
}

/** Whether a member still is what its text says: it may have been replaced. */
const isUnchanged = (holder: object, key: string, text: string): boolean =>
  Object.hasOwn(holder, key) && Object.is(Reflect.get(holder, key), seenOf(Number(text), text));

/** The same text for each way to write a decimal number: its digits without zeros around them, and an exponent. */
function decimal(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = `${whole}${fraction}`.replace(/^0+/, "");
  const digits = withoutTrailing(all, "0");
  const power = Number(exponent) - fraction.length + all.length - digits.length;
  return digits === "" ? "0" : `${sign}${digits}e${power}`;
}
