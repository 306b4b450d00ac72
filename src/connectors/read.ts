/** Small readers that the vendors' parsers share. */

/** A text that is not empty, or a number as text. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const ISO =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d)?)?$/;

/**
 * The instant of a vendor's date, epoch ms: ISO 8601 with `Z`, `+0000`, `+hh:mm` or no zone (then UTC) and
 * up to nine fraction digits, or epoch ms as a number or digits.
 */
export function instantOf(value: unknown): number | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (/^-?\d{10,16}$/.test(text)) return Number(text);
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, day, time = "", fraction = "", , hours, minutes = "00"] = match;
  const zone = hours === undefined ? "Z" : `${hours}:${minutes}`;
  const whole = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${zone}`);
  return Number.isNaN(whole) ? undefined : whole + Number(fraction.padEnd(3, "0").slice(0, 3));
}
