/**
 * One resource of a poll configuration: its fields, their forms and their defaults
 * (reference connector-events-api.md §5.1).
 */
import * as z from "zod";
import { checkPattern } from "./java-date";
import type { SnapshotRule } from "./snapshot/diff";
import { parseZone } from "./zone";

/**
 * Where a record keeps a date: a dotted path, its Java pattern or `milliseconds` or `seconds` since 1970, the zone of
 * values that name none.
 */
export type DateSource = { field: string; format?: string; zone: string };

export type PolledResource = {
  resource: string;
  url: string;
  idField: string;
  updated?: DateSource;
  created?: DateSource;
  filterByUpdatedDate: boolean;
  filterByCurrentDate: boolean;
  createdCheckToleranceMs: number;
  /** How often it is polled; absent: as often as its instance says. */
  everyMinutes?: number;
  pageSize?: number;
  pollDelayMs: number;
  overlapMs: number;
  /** How deletions are found, when no record or feed says that one was deleted. */
  deletion?: SnapshotRule;
};

/** The offending value for a message, its beginning if it is long. */
export function quote(value: unknown): string {
  const text = typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? "nothing");
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

const text = z
  .string({
    error: ({ input }) =>
      input === undefined ? "Is required" : `Expected a text, got ${quote(input)}`,
  })
  .trim();

const pattern = text.superRefine((value, context) => {
  const message = checkPattern(value);
  if (message !== undefined) context.addIssue(message);
});

const zone = text
  .refine((value) => parseZone(value) !== undefined, {
    error: ({ input }) => `Unknown time zone ${quote(input)}`,
  })
  .default("UTC");

const flag = z.union([z.boolean(), z.stringbool()], {
  error: ({ input }) => `Expected true or false, got ${quote(input)}`,
});

/** A number, or its text, that is at least `least`. */
function numberFrom(least: number, expected: string) {
  return z
    .union([z.number(), z.string()], {
      error: ({ input }) => `Expected ${expected}, got ${quote(input)}`,
    })
    .transform((given, context) => {
      const value = Number(given);
      if (Number.isFinite(value) && value >= least) return value;
      context.addIssue(`Expected ${expected}, got ${quote(given)}`);
      return z.NEVER;
    });
}

const MINUTES = "a whole number of minutes from 1 to 44640";
const seconds = numberFrom(0, "a number of seconds");

/** One resource, `datesConfiguration` laid flat. `overlap` is ours: the seconds read again before the last poll. */
export const Settings = z.object({
  url: text,
  idField: text,
  updatedDateField: text.optional(),
  updatedDateFormat: pattern.optional(),
  updatedDateTimezone: zone,
  createdDateField: text.optional(),
  createdDateFormat: pattern.optional(),
  createdDateTimezone: zone,
  filterByUpdatedDate: flag.default(true),
  filterByCurrentDate: flag.default(false),
  createdCheckTolerance: seconds.default(0),
  refreshInterval: numberFrom(1, MINUTES)
    .refine((minutes) => Number.isInteger(minutes) && minutes <= 44_640, `Expected ${MINUTES}`)
    .optional(),
  pageSize: numberFrom(1, "a page size of 1 or more").transform(Math.floor).optional(),
  pollDelay: seconds.default(0),
  overlap: seconds.default(300),
  deletion: z
    .object(
      {
        strategy: z.enum(["snapshot", "list"], "Expected snapshot or list"),
        everyMinutes: numberFrom(1, "1 minute or more").default(60),
        maxRatio: numberFrom(0, "a ratio from 0 to 1")
          .refine((ratio) => ratio <= 1, "Expected a ratio from 0 to 1")
          .default(0.2),
      },
      "Expected an object with a strategy",
    )
    .optional(),
});

const FIELD_NAMES: ReadonlyMap<string, string> = new Map([
  ...[...Object.keys(Settings.shape), "datesConfiguration"].map((name): [string, string] => [
    name.toLowerCase(),
    name,
  ]),
  ["filterbyupdatedate", "filterByUpdatedDate"],
]);

/**
 * The fields we know, under their own names whatever the case; null and blank text are absent, other fields ignored.
 */
export function knownFields(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => {
      const name = FIELD_NAMES.get(key.toLowerCase());
      const blank = value === null || (typeof value === "string" && value.trim() === "");
      return name === undefined || blank ? [] : [[name, value]];
    }),
  );
}

export function polledResource(
  resource: string,
  settings: z.infer<typeof Settings>,
): PolledResource {
  const { url, idField, filterByUpdatedDate, filterByCurrentDate, pageSize } = settings;
  const { refreshInterval } = settings;
  const { updatedDateFormat, createdDateFormat = updatedDateFormat } = settings;
  const updated = dateSource(
    settings.updatedDateField,
    updatedDateFormat,
    settings.updatedDateTimezone,
  );
  const created = dateSource(
    settings.createdDateField,
    createdDateFormat,
    settings.createdDateTimezone,
  );
  return {
    resource,
    url,
    idField,
    filterByUpdatedDate,
    filterByCurrentDate,
    ...(updated && { updated }),
    ...(created && { created }),
    createdCheckToleranceMs: settings.createdCheckTolerance * 1000,
    ...(refreshInterval !== undefined && { everyMinutes: refreshInterval }),
    ...(pageSize !== undefined && { pageSize }),
    pollDelayMs: settings.pollDelay * 1000,
    overlapMs: settings.overlap * 1000,
    ...(settings.deletion !== undefined && {
      deletion: {
        strategy: settings.deletion.strategy,
        everyMs: settings.deletion.everyMinutes * 60_000,
        maxRatio: settings.deletion.maxRatio,
      },
    }),
  };
}

function dateSource(
  field: string | undefined,
  format: string | undefined,
  zone: string,
): DateSource | undefined {
  return field === undefined ? undefined : { field, ...(format !== undefined && { format }), zone };
}
