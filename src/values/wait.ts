import { epochInstant, type Millis, toInstant } from "./instant";

const WEEKDAY = /^\s*(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\s*$/i;
const DURATION = /(\d+(?:\.\d+)?)([a-z]+)/giy;
const UNIT_MS: [RegExp, number][] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/i, 1],
  [/^(?:s|secs?|seconds?)$/i, 1_000],
  [/^(?:m|mins?|minutes?)$/i, 60_000],
  [/^(?:h|hrs?|hours?)$/i, 3_600_000],
  [/^(?:d|days?)$/i, 86_400_000],
];

/**
 * The instant until which a header asks us to wait (`Retry-After`, `X-RateLimit-Reset`), whatever its vendor means by it:
 * seconds from now, an instant as seconds, milliseconds, microseconds or nanoseconds since 1970, an HTTP date, ISO 8601, or
 * a duration in words (`in 30 seconds`, `1m30s`). Numbers are told apart by their size. Of several values, as of a header
 * that comes twice, the latest instant counts. Undefined when none lies ahead or none can be read.
 */
export function waitUntil(value: string | null, now: Millis): Millis | undefined {
  const instants = valuesIn(value ?? "").flatMap((text) => instantOf(text, now) ?? []);
  const latest = Math.max(...instants);
  return latest > now ? latest : undefined;
}

/** The values between commas, except for the comma after the weekday of an HTTP date. */
function valuesIn(text: string): string[] {
  const parts = text.split(",");
  return parts.flatMap((part, index) => {
    if (WEEKDAY.test(part) && index + 1 < parts.length) return [];
    return [part.trim().replaceAll('"', "")];
  });
}

function instantOf(text: string, now: Millis): Millis | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return instantBySize(Number(text), now);
  const ahead = durationMs(text);
  if (ahead !== undefined) return now + ahead;
  const at = toInstant(text) ?? Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

/** Below 1e9 (31 years) it is seconds from now; above, an instant, whose unit its size tells: 1e9 s since 1970 is 2001. */
function instantBySize(value: number, now: Millis): Millis | undefined {
  return value < 1e9 ? now + value * 1_000 : epochInstant(value);
}

/** `in 30 seconds`, `1m30s`, `500 ms`: undefined when the text holds anything else. */
function durationMs(text: string): number | undefined {
  const words = text.replaceAll(/\s/g, "").replace(/^in/i, "");
  const parts = [...words.matchAll(DURATION)];
  if (words === "" || parts.map(([part]) => part).join("") !== words) return undefined;
  const lengths = parts.map(([, number, unit = ""]) => {
    const length = UNIT_MS.find(([names]) => names.test(unit));
    return length === undefined ? Number.NaN : Number(number) * length[1];
  });
  const sum = lengths.reduce((all, one) => all + one, 0);
  return Number.isNaN(sum) ? undefined : sum;
}
