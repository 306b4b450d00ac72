import { withoutTrailing } from "./text";

/**
 * Numbers whose text a double would change: `9130350000000000001` and `1e400` lose their value, `1.10` and `-0` their
 * form. The text is kept beside the object or list that holds the number, and stands there again when that is
 * written as JSON, whoever writes it. A copy made member by member forgets it, unless it is told (`copyDigits`).
 */

type Kept = { value: unknown; text: string };

const kept = new WeakMap<object, Map<string, Kept>>();

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
 * What code sees of a member that `JSON.parse` read as `value` from the text `source`: a number, or its text when
 * no double is as large or as exact. Whole numbers above 2^53 are always texts.
 */
export function numberOf(
  holder: object,
  key: string,
  value: number,
  source: string,
): number | string {
  if (JSON.stringify(value) === source) return value;
  const isWhole = !/[.eE]/.test(source);
  const isSafe = isWhole ? Number.isSafeInteger(value) : decimal(source) === decimal(`${value}`);
  const seen = isSafe ? value : source;
  keep(holder, new Map([[key, { value: seen, text: source }]]));
  return seen;
}

/** How a member was written, when that is not how its value would be. */
export function digitsOf(holder: object, key: string): string | undefined {
  const one = kept.get(holder)?.get(key);
  return one !== undefined && isUnchanged(holder, key, one) ? one.text : undefined;
}

/** `copy`, which has members of `original`, writes its numbers as `original` does. */
export function copyDigits<T extends object>(original: object, copy: T): T {
  const texts = kept.get(original);
  if (texts !== undefined) keep(copy, texts);
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
  keep(holder, new Map([[key, { value: Reflect.get(holder, key), text }]]));
}

function keep(holder: object, texts: ReadonlyMap<string, Kept>): void {
  const before = kept.get(holder);
  if (before === undefined) {
    kept.set(holder, new Map(texts));
    // A member of that name is data, and stays.
    if (!Object.hasOwn(holder, "toJSON"))
      Object.defineProperty(holder, "toJSON", {
        value: written,
        enumerable: false,
        configurable: true,
        writable: true,
      });
    return;
  }
  for (const [key, one] of texts) before.set(key, one);
}

/** What `JSON.stringify` writes in place of `this`. */
function written(this: object): object {
  const copy: object = Array.isArray(this) ? [...this] : { ...this };
  for (const [key, one] of kept.get(this) ?? [])
    if (isUnchanged(this, key, one))
      Object.defineProperty(copy, key, { value: rawJson(one.text), enumerable: true });
  return copy;
}

const isUnchanged = (holder: object, key: string, { value }: Kept): boolean =>
  Object.hasOwn(holder, key) && Object.is(Reflect.get(holder, key), value);

/** The same text for each way to write a decimal number: its digits without zeros around them, and an exponent. */
function decimal(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = `${whole}${fraction}`.replace(/^0+/, "");
  const digits = withoutTrailing(all, "0");
  const power = Number(exponent) - fraction.length + all.length - digits.length;
  return digits === "" ? "0" : `${sign}${digits}e${power}`;
}
