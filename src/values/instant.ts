/** Milliseconds since 1970 UTC. */
export type Millis = number;

/** `2026-11-21T20:00:00.123Z`. @throws RangeError outside what a Date can hold. */
export function isoText(at: Millis): string {
  return new Date(at).toISOString();
}

/** `2026-11-21T20:00:00Z`: whole seconds, the fraction cut off. */
export function isoSeconds(at: Millis): string {
  return `${isoText(at).slice(0, 19)}Z`;
}

/** .NET's `DateTime.MinValue`, 0001-01-01 00:00, in the zone farthest from UTC is before this. */
const FIRST_DATE = Date.parse("0001-01-02T00:00:00Z");

/**
 * The instant, unless a program wrote it for "no date": .NET's 0001-01-01, or MySQL's zeros, which are no date of any
 * calendar.
 */
export function unlessNone(at: Millis): Millis | undefined {
  return at < FIRST_DATE ? undefined : at;
}

/** MySQL's zeros as digits alone. */
export function isZeros(text: string): boolean {
  return /^0{8,}$/.test(text);
}

const ISO =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d)?)?$/;

/**
 * The instant that a vendor's value means: ISO 8601 with `Z`, `+0000`, `+hh:mm` or no zone (then UTC) and up
 * to nine fraction digits, or milliseconds since 1970 as a number or digits; undefined when it is none of these, or what
 * programs write for "no date".
 */
export function toInstant(value: unknown): Millis | undefined {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  const text = isNumber ? String(value) : value;
  if (typeof text !== "string") return undefined;
  if (isZeros(text)) return undefined;
  if (/^-?\d{10,16}$/.test(text)) return unlessNone(Number(text));
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, day, time = "", fraction = "", , hours, minutes = "00"] = match;
  const zone = hours === undefined ? "Z" : `${hours}:${minutes}`;
  const whole = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${zone}`);
  if (Number.isNaN(whole)) return undefined;
  return unlessNone(whole + Number(fraction.padEnd(3, "0").slice(0, 3)));
}
