/**
 * Java date patterns for vendor dates and URL templates (reference connector-events-api.md §5.3,
 * reference vendors.md C-5 and CO-1).
 */
import { Instant, LocalDateTime, ZonedDateTime } from "@js-joda/core";
import { type Fields, fraction, type Letter, LETTERS, second } from "./date-letters";
import { unlessThrown, UTC, type Zone } from "./zone";
import { dateOrNone, epochInstant, type EpochUnit, isZeros } from "../values/instant";

/**
 * The format names of dates that are counted from 1970, numbers or digits: milliseconds
 * (reference connector-events-api.md §5.1), and our seconds (Stripe's `created`), which may have a fraction.
 */
const EPOCHS: Readonly<Record<string, { unit: EpochUnit; unitMs: number; shape: RegExp }>> = {
  milliseconds: { unit: "ms", unitMs: 1, shape: /^-?\d+$/ },
  seconds: { unit: "s", unitMs: 1_000, shape: /^-?\d+(?:\.\d+)?$/ },
};

const epochOf = (format: string | undefined) =>
  format !== undefined && Object.hasOwn(EPOCHS, format) ? EPOCHS[format] : undefined;

/** A run of one letter. `point` stands before a fraction: it comes and goes with its digits. */
type Field = { letter: Letter; count: number; point: string };
type Token = string | Field;

/** Where the quoted text that begins at `at` ends, behind its closing quote; two quotes in it stand for one. */
function quotedEnd(pattern: string, at: number): number | undefined {
  for (let end = at + 1; end < pattern.length; end += 1)
    if (pattern[end] === "'") {
      if (pattern[end + 1] !== "'") return end + 1;
      end += 1;
    }
  return undefined;
}

const isLetter = (text: string): boolean => /^[A-Za-z]/.test(text);
const isPointAt = (pattern: string, at: number): boolean =>
  ".,".includes(pattern.charAt(at)) && pattern[at + 1] === "S";

/** Where the piece of a pattern that begins at `at` ends: a run of one letter, or what is neither letter nor quote. */
function pieceEnd(pattern: string, at: number): number {
  const first = pattern.charAt(at);
  let end = at + 1;
  if (isLetter(first)) while (pattern[end] === first) end += 1;
  else
    while (end < pattern.length && !/^[A-Za-z']/.test(pattern.charAt(end))) {
      if (isPointAt(pattern, end)) break;
      end += 1;
    }
  return end;
}

function readPattern(
  pattern: string,
): { ok: true; tokens: Token[] } | { ok: false; message: string } {
  const wrong = (what: string) =>
    ({ ok: false, message: `Date pattern "${pattern}" ${what}` }) as const;
  if (pattern.trim() === "") return wrong("is empty");
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    if (pattern[at] === "'") {
      const end = quotedEnd(pattern, at);
      if (end === undefined) return wrong("has an unbalanced quote");
      tokens.push(pattern.slice(at + 1, end - 1).replaceAll("''", "'") || "'");
      at = end;
      continue;
    }
    const point = isPointAt(pattern, at) ? pattern.charAt(at) : "";
    const start = at + point.length;
    at = pieceEnd(pattern, start);
    const run = pattern.slice(start, at);
    if (isLetter(run)) {
      const letter = LETTERS.get(/^M{3}/.test(run) ? "MMM" : run.charAt(0));
      if (!letter) return wrong(`has the unknown letter "${run.charAt(0)}"`);
      if (run.length > (letter.longest ?? Infinity)) return wrong(`has the unknown form "${run}"`);
      tokens.push({ letter, count: run.length, point });
    } else tokens.push(run);
  }
  return { ok: true, tokens };
}

/** `undefined` for a pattern we can print and read (or `milliseconds`, `seconds`), else what is wrong with it. */
export function checkPattern(pattern: string): string | undefined {
  if (epochOf(pattern) !== undefined) return undefined;
  const read = readPattern(pattern);
  return read.ok ? undefined : read.message;
}

/**
 * Prints an instant (epoch ms) by a Java pattern, or as whole digits for `milliseconds` and `seconds`.
 * Throws on a pattern that `checkPattern` refuses.
 */
export function formatInstant(at: number, pattern: string, zone: Zone): string {
  const epoch = epochOf(pattern);
  if (epoch !== undefined) return String(Math.floor(at / epoch.unitMs));
  const read = readPattern(pattern);
  if (!read.ok) throw new Error(read.message);
  const moment = ZonedDateTime.ofInstant(Instant.ofEpochMilli(at), zone.id);
  const print = ({ letter, count, point }: Field) => point + letter.print(moment, count, zone);
  return read.tokens.map((token) => (typeof token === "string" ? token : print(token))).join("");
}

const ISO_8601 = [
  "yyyy-MM-dd'T'HH:mm:ssX",
  "yyyy-MM-dd HH:mm:ssX",
  "yyyy-MM-dd'T'HH:mmX",
  "yyyyMMdd'T'HHmmssX",
  "yyyy-MM-dd",
];

/** Digits without a declared format; fewer may be seconds, a year, anything. */
const UNDECLARED = /^\d{12,20}$/;
/** A number without a declared format: below this (1973 in seconds) it is hardly a date. */
const LEAST_UNDECLARED = 1e8;

/**
 * Reads a vendor's date as epoch ms: by its format (a Java pattern, `milliseconds` or `seconds`), else as ISO 8601 or a
 * number counted since 1970 in the unit that its size tells. `zone` is used when the value carries none; fractions may have 0 to 9 digits whatever the pattern says.
 * A local time that a clock change repeats is read as the later instant, as SimpleDateFormat does: the change is never
 * taken for one before the cursor. `undefined` when unreadable.
 */
export function parseInstant(
  value: unknown,
  format: string | undefined,
  zone: Zone,
): number | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const text = String(value).trim();
  if (isZeros(text)) return undefined;
  const epoch = epochOf(format);
  if (epoch?.shape.test(text) === true) return epochInstant(Number(text), epoch.unit);
  const formats = format === undefined || epoch !== undefined ? [] : [format];
  for (const pattern of [...formats, ...ISO_8601]) {
    const at = parseByPattern(text, pattern, zone);
    if (at !== undefined) return dateOrNone(at);
  }
  const isEpoch = typeof value === "number" ? value >= LEAST_UNDECLARED : UNDECLARED.test(text);
  return isEpoch ? epochInstant(Number(text)) : undefined;
}

function parseByPattern(text: string, pattern: string, zone: Zone): number | undefined {
  const read = readPattern(pattern);
  const fields = read.ok ? readFields(text, read.tokens) : undefined;
  if (!fields || fields.hour12 < 1 || fields.hour12 > 12) return undefined;
  const { year, month, day, minute, second, nano } = fields;
  const hour = fields.hour ?? (fields.hour12 % 12) + (fields.afternoon ? 12 : 0);
  // A pattern may have its 'Z' in quotes: the value carries its zone all the same
  const own = fields.zone ?? (/\dZ$/.test(text) ? UTC : zone);
  return unlessThrown(() =>
    LocalDateTime.of(year, month, day, hour, minute, second, nano)
      .atZone(own.id)
      .withLaterOffsetAtOverlap()
      .toInstant()
      .toEpochMilli(),
  );
}

const OPTIONAL_FRACTION = /(?:[.,]\d{0,9})?/y;

/** Walks over text and pattern once, without going back; `undefined` unless both end together. */
function readFields(text: string, tokens: readonly Token[]): Fields | undefined {
  const date = { year: 1970, month: 1, day: 1 };
  const fields: Fields = { ...date, hour12: 12, afternoon: false, minute: 0, second: 0, nano: 0 };
  let position = 0;
  const take = (shape: RegExp): string | undefined => {
    shape.lastIndex = position;
    const taken = shape.exec(text)?.[0];
    position += taken?.length ?? 0;
    return taken;
  };
  for (const [index, token] of tokens.entries()) {
    if (typeof token === "string") {
      // The blank before a zone that the value leaves out
      if (position === text.length && token.trim() === "") continue;
      if (!text.startsWith(token, position)) return undefined;
      position += token.length;
      continue;
    }
    const next = tokens[index + 1];
    const { letter, count, point } = token;
    const digitsFollow =
      typeof next === "object" && next.point === "" && next.letter.digits === true;
    const taken = take(point ? OPTIONAL_FRACTION : letter.takes(count, digitsFollow));
    if (taken === undefined || letter.set(fields, taken.slice(point.length), count) === false) {
      return undefined;
    }
    const fractionIsOwn =
      typeof next === "object" ? next.letter === fraction : /^[.,]/.test(next ?? "");
    if (letter === second && !fractionIsOwn) {
      fraction.set(fields, (take(OPTIONAL_FRACTION) ?? "").slice(1), 1);
    }
  }
  return position === text.length ? fields : undefined;
}
