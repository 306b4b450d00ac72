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
/** Later years have more than four digits, which neither ISO 8601 without agreement nor our own texts have. */
const LAST_DATE = Date.parse("9999-12-31T23:59:59.999Z");

/** Whether an instant can be written as a date: any other number that came as one means none. */
export const isDate = (at: Millis): boolean => at >= FIRST_DATE && at <= LAST_DATE;

/**
 * The instant in whole milliseconds, unless it is out of the range of dates, as what programs write for "no date" is:
 * .NET's 0001-01-01, or MySQL's zeros, which are no date of any calendar.
 */
export function dateOrNone(at: Millis): Millis | undefined {
  return isDate(at) ? Math.floor(at) : undefined;
}

/** The text of an instant; null for a number that is none, as older versions stored what vendors sent. */
export const isoTextOrNull = (at: Millis): string | null => (isDate(at) ? isoText(at) : null);

/** MySQL's zeros as digits alone. */
export function isZeros(text: string): boolean {
  return /^0{8,}$/.test(text);
}

const UNITS_MS = { s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 } as const;
/** What a number counts since 1970. */
export type EpochUnit = keyof typeof UNITS_MS;

/**
 * The instant that so many units since 1970 are. Without a unit its size tells it: below 1e11 they are seconds (up to
 * the year 5138), below 1e14 milliseconds (from 1973 on), below 1e17 microseconds, and nanoseconds above. Undefined
 * when that is out of the range of dates.
 */
export function epochInstant(value: number, unit?: EpochUnit): Millis | undefined {
  const factor = UNITS_MS[unit ?? unitBySize(Math.abs(value))];
  // A microsecond more, so that no digit is lost to binary fractions.
  return dateOrNone(Math.floor(value * factor + 0.001));
}

function unitBySize(size: number): EpochUnit {
  if (size < 1e11) return "s";
  if (size < 1e14) return "ms";
  return size < 1e17 ? "us" : "ns";
}

const ISO =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d)?)?$/;
/** Fewer digits may be a year, a day, a counter. */
const EPOCH = /^-?\d{9,20}(?:\.\d{1,9})?$/;

/**
 * The instant that a vendor's value means: ISO 8601 with `Z`, `+0000`, `+hh:mm` or no zone (then UTC) and up to nine
 * fraction digits, or a number (or its digits) counted since 1970 in `unit`, absent: in the unit that its size tells.
 * Undefined when it is none of these, out of the range of dates, or what programs write for "no date".
 */
export function toInstant(value: unknown, unit?: EpochUnit): Millis | undefined {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  const text = isNumber ? String(value) : value;
  if (typeof text !== "string") return undefined;
  if (isZeros(text)) return undefined;
  if (EPOCH.test(text)) return epochInstant(Number(text), unit);
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, day, time = "", fraction = "", , hours, minutes = "00"] = match;
  const zone = hours === undefined ? "Z" : `${hours}:${minutes}`;
  const whole = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${zone}`);
  if (Number.isNaN(whole)) return undefined;
  return dateOrNone(whole + Number(fraction.padEnd(3, "0").slice(0, 3)));
}
