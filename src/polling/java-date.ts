/** Java date patterns for vendor dates and URL templates (connector-events-api.md §5.3; vendors.md C-5, CO-1). */
import { Instant, LocalDateTime, ZonedDateTime, ZoneId, ZoneOffset } from "@js-joda/core";
// The rules of 1970 to 2030: the build in ESM, because the other one brings a second copy of the core along.
import "@js-joda/timezone/dist/js-joda-timezone-1970-2030.esm";

/** A time zone under the name it was asked for. */
export type Zone = { readonly name: string; readonly id: ZoneId };

export const UTC: Zone = { name: "UTC", id: ZoneOffset.UTC };
export const GMT: Zone = { name: "GMT", id: ZoneOffset.UTC };

/** The format name of dates that are epoch milliseconds, numbers or digits (§5.1). */
export const MILLISECONDS = "milliseconds";

/**
 * Reads GMT, UTC, Z, a fixed abbreviation (any case), a signed offset (`-8:00`, `+0600`, `GMT+05:30`) or an IANA name,
 * which follows daylight saving time and keeps its case. `undefined` when there is no such zone (§5.3).
 */
export function parseZone(text: string): Zone | undefined {
  const name = text.trim();
  const upper = name.toUpperCase();
  if (upper === "GMT") return GMT;
  if (upper === "UTC" || upper === "Z") return UTC;
  const [, coast, season] = /^([ECMP])([SD])T$/.exec(upper) ?? [];
  if (coast) {
    const standardHours = -5 - "ECMP".indexOf(coast);
    return { name: upper, id: ZoneOffset.ofHours(standardHours + (season === "D" ? 1 : 0)) };
  }
  const [, sign, hours, minutes = "0"] =
    /^(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(upper) ?? [];
  if (sign) {
    const id = unlessThrown(() => ZoneOffset.ofHoursMinutes(+(sign + hours), +(sign + minutes)));
    return id && { name: id.totalSeconds() === 0 ? "GMT" : `GMT${id.id()}`, id };
  }
  // joda reads SYSTEM as the zone of the host
  return upper === "SYSTEM" ? undefined : unlessThrown(() => ({ name, id: ZoneId.of(name) }));
}

/** joda's answer to bad input is an exception, ours is `undefined`. */
function unlessThrown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

// The English names in full: joda's own come with megabytes of locales
const MONTHS = `January February March April May June July August September October November
  December`.split(/\s+/);
const WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");

type Fields = {
  year: number;
  month: number;
  day: number;
  /** 0..23 (`H`), or absent when only `h` is there. */
  hour?: number;
  hour12: number;
  afternoon: boolean;
  minute: number;
  second: number;
  nano: number;
  zone?: Zone;
};

/** One pattern letter: how a run of `count` prints, the text it takes, and what that text sets (`false`: unreadable). */
type Letter = {
  readonly longest?: number;
  readonly digits?: true;
  readonly print: (at: ZonedDateTime, count: number, zone: Zone) => string;
  readonly takes: (count: number, digitsFollow: boolean) => RegExp;
  readonly set: (fields: Fields, text: string, count: number) => boolean | void;
};

type NumericField = "month" | "day" | "hour" | "hour12" | "minute" | "second";

function numeric(field: NumericField, value: (at: ZonedDateTime) => number): Letter {
  return {
    longest: 2,
    digits: true,
    print: (at, count) => String(value(at)).padStart(count, "0"),
    takes: (count, digitsFollow) => (digitsFollow ? new RegExp(`\\d{${count}}`, "y") : /\d{1,2}/y),
    set: (fields, text) => void (fields[field] = Number(text)),
  };
}

const year: Letter = {
  longest: 4,
  digits: true,
  print: (at, count) =>
    count === 2 ? twoDigits(at.year() % 100) : String(at.year()).padStart(count, "0"),
  takes: (count, digitsFollow) =>
    count !== 2 ? /\d{4}/y : digitsFollow ? /\d{2}/y : /\d{4}|\d{2}/y,
  set: (fields, text) => void (fields.year = Number(text) + (text.length === 2 ? 2000 : 0)),
};

const second = numeric("second", (at) => at.second());
const monthNumber = numeric("month", (at) => at.monthValue());
const monthName: Letter = {
  print: (at, count) => nameAt(MONTHS, at.monthValue(), count),
  takes: () => /[A-Za-z]{3,}/y,
  set: (fields, text) => {
    const start = text.slice(0, 3).toLowerCase();
    fields.month = MONTHS.findIndex((name) => name.toLowerCase().startsWith(start)) + 1;
    return fields.month > 0;
  },
};

const fraction: Letter = {
  longest: 9,
  digits: true,
  print: (at, count) => String(at.nano()).padStart(9, "0").slice(0, count),
  takes: () => /\d{0,9}/y,
  set: (fields, text) => void (fields.nano = Number(text.padEnd(9, "0"))),
};

const weekday: Letter = {
  print: (at, count) => nameAt(WEEKDAYS, at.dayOfWeek().value(), count),
  takes: () => /[A-Za-z]+/y,
  set: () => {},
};

const halfDay: Letter = {
  print: (at) => (at.hour() < 12 ? "AM" : "PM"),
  takes: () => /[AP]M/iy,
  set: (fields, text) => void (fields.afternoon = text.toUpperCase() === "PM"),
};

/** Every zone letter prints its own form and reads all of them, or none at the end of the text. */
const anyZone: Pick<Letter, "takes" | "set"> = {
  takes: () => /[+-]\d{1,2}(?::?\d{2})?|[A-Za-z][\w/+:-]*|$/y,
  set: (fields, text) => {
    const zone = parseZone(text);
    if (zone) fields.zone = zone;
    return zone !== undefined || text === "";
  },
};

const LETTERS: ReadonlyMap<string, Letter> = new Map(
  Object.entries({
    y: year,
    M: monthNumber,
    MMM: monthName,
    d: numeric("day", (at) => at.dayOfMonth()),
    H: numeric("hour", (at) => at.hour()),
    h: numeric("hour12", (at) => at.hour() % 12 || 12),
    m: numeric("minute", (at) => at.minute()),
    s: second,
    S: fraction,
    E: weekday,
    a: halfDay,
    z: { ...anyZone, print: (at, _count, zone) => zoneAbbreviation(at, zone) },
    Z: { ...anyZone, print: (at) => offsetText(at, "") },
    X: { ...anyZone, longest: 3, print: isoOffsetText },
  } satisfies Record<string, Letter>),
);

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function nameAt(names: readonly string[], number: number, count: number): string {
  const name = names[number - 1] ?? "";
  return count < 4 ? name.slice(0, 3) : name;
}

function offsetText(at: ZonedDateTime, colon: string): string {
  const minutes = Math.trunc(at.offset().totalSeconds() / 60);
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${twoDigits(Math.floor(size / 60))}${colon}${twoDigits(size % 60)}`;
}

/** X is hours, with the minutes when there are any, so that no instant changes; XX is +hhmm, XXX +hh:mm. */
function isoOffsetText(at: ZonedDateTime, count: number): string {
  if (at.offset().totalSeconds() === 0) return "Z";
  const text = offsetText(at, count === 3 ? ":" : "");
  return count === 1 ? text.replace(/00$/, "") : text;
}

function zoneAbbreviation(at: ZonedDateTime, zone: Zone): string {
  if (zone.id instanceof ZoneOffset) return zone.name;
  const inZone = { timeZone: zone.name, timeZoneName: "short" } as const;
  const parts = unlessThrown(() =>
    new Intl.DateTimeFormat("en-US", inZone).formatToParts(at.toInstant().toEpochMilli()),
  );
  return parts?.find((part) => part.type === "timeZoneName")?.value ?? zone.name;
}

/** A run of one letter. `point` stands before a fraction: it comes and goes with its digits. */
type Field = { letter: Letter; count: number; point: string };
type Token = string | Field;

const TOKEN =
  /'(?<quoted>(?:[^']|'')*)'|(?<point>[.,]?)(?<fraction>S+)|(?<run>([A-Za-z])\5*)|(?:(?![.,]S)[^A-Za-z'])+|'/g;

function readPattern(
  pattern: string,
): { ok: true; tokens: Token[] } | { ok: false; message: string } {
  const wrong = (what: string) =>
    ({ ok: false, message: `Date pattern "${pattern}" ${what}` }) as const;
  if (pattern.trim() === "") return wrong("is empty");
  const tokens: Token[] = [];
  for (const {
    0: text,
    groups: { quoted, point = "", fraction, run = fraction } = {},
  } of pattern.matchAll(TOKEN)) {
    if (run !== undefined) {
      const letter = LETTERS.get(/^M{3}/.test(run) ? "MMM" : run.charAt(0));
      if (!letter) return wrong(`has the unknown letter "${run.charAt(0)}"`);
      if (run.length > (letter.longest ?? Infinity)) return wrong(`has the unknown form "${run}"`);
      tokens.push({ letter, count: run.length, point });
    } else if (text === "'") {
      return wrong("has an unbalanced quote");
    } else {
      tokens.push(quoted === undefined ? text : quoted.replaceAll("''", "'") || "'");
    }
  }
  return { ok: true, tokens };
}

/** `undefined` for a pattern we can print and read (or `milliseconds`), else what is wrong with it. */
export function checkPattern(pattern: string): string | undefined {
  if (pattern === MILLISECONDS) return undefined;
  const read = readPattern(pattern);
  return read.ok ? undefined : read.message;
}

/**
 * Prints an instant (epoch ms) by a Java pattern, or as digits for `milliseconds`.
 * Throws on a pattern that `checkPattern` refuses.
 */
export function formatInstant(at: number, pattern: string, zone: Zone): string {
  if (pattern === MILLISECONDS) return String(at);
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

/** Shorter digits without a declared format may be seconds, a year, anything. */
const UNDECLARED_MILLISECONDS = /^\d{12,15}$/;

/**
 * Reads a vendor's date as epoch ms: by its format (a Java pattern or `milliseconds`), else as ISO 8601 or a plain number
 * of milliseconds. `zone` is used when the value carries none; fractions may have 0 to 9 digits whatever the pattern says.
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
  if (format === MILLISECONDS && /^-?\d+$/.test(text)) return representable(Number(text));
  const formats = format === undefined || format === MILLISECONDS ? [] : [format];
  for (const pattern of [...formats, ...ISO_8601]) {
    const at = parseByPattern(text, pattern, zone);
    if (at !== undefined) return at;
  }
  const isNumber = typeof value === "number" || UNDECLARED_MILLISECONDS.test(text);
  return isNumber ? representable(Number(text)) : undefined;
}

/** What a Date can hold. */
function representable(at: number): number | undefined {
  return Math.abs(at) <= 8.64e15 ? Math.trunc(at) : undefined;
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
