/**
 * The letters of Java date patterns: how each prints, what text it takes, and what that sets
 * (reference connector-events-api.md §5.3).
 */
import { ZoneOffset, type ZonedDateTime } from "@js-joda/core";
import { parseZone, unlessThrown, type Zone } from "./zone";

// The English names in full: joda's own come with megabytes of locales
const MONTHS = `January February March April May June July August September October November
  December`.split(/\s+/);
const WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");

export type Fields = {
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
export type Letter = {
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
    takes: (count, digitsFollow) => (digitsFollow ? (count === 2 ? /\d{2}/y : /\d/y) : /\d{1,2}/y),
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

export const second = numeric("second", (at) => at.second());
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

export const fraction: Letter = {
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

export const LETTERS: ReadonlyMap<string, Letter> = new Map(
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
