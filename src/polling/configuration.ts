/** What a user gives for polling, read into a list of resources (connector-events-api.md §5.1, §5.2). */
import * as z from "zod";
import { checkPattern, parseZone } from "./java-date";
import type { SnapshotRule } from "./snapshot/diff";
import { expandTemplates } from "./template";

/** Where a record keeps a date: a dotted path, its Java pattern or `milliseconds`, the zone of values that name none. */
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
  pageSize?: number;
  pollDelayMs: number;
  overlapMs: number;
  /** How deletions are found where the vendor tells none. */
  deletion?: SnapshotRule;
};

export type PollingConfiguration =
  | { ok: true; resources: PolledResource[] }
  | { ok: false; field: string; message: string };

/** The instance's values of `event.poller.configuration`, `event.poller.urls` and `event.objects`. */
export type PollingInput = {
  configuration?: unknown;
  urls?: string | null;
  objects?: string | null;
};

/** How a resource is polled that the defaults do not name; undefined when there is none. */
export type Other = (name: string) => unknown;

const CONFIGURATION = "event.poller.configuration";
const URLS = "event.poller.urls";
const OBJECTS = "event.objects";

/**
 * The resources to poll: of the configuration if it has any, else of the legacy urls, else of the object names, else the
 * connector's `defaults`. A failure names the key that is at fault, with its path.
 */
export function parsePollingConfiguration(
  input: PollingInput,
  defaults: Record<string, unknown>,
  defaultIdField = "id",
  other: Other = () => undefined,
): PollingConfiguration {
  const given = readObject(input.configuration);
  if (!given)
    return fault(CONFIGURATION, `Expected a JSON object, got ${quote(input.configuration)}`);
  if (Object.keys(given).length > 0) return parseResources(given);
  const urls = input.urls?.trim();
  if (urls) return parseUrls(urls, defaults, defaultIdField, other);
  const objects = input.objects?.trim();
  if (objects) return parseNames(objects.split(/[,|\r\n]/), OBJECTS, defaults, other);
  return parseResources(defaults);
}

function fault(field: string, message: string): { ok: false; field: string; message: string } {
  return { ok: false, field, message };
}

/** A nested object or its JSON text; nothing at all is an empty object. */
function readObject(value: unknown): Record<string, unknown> | undefined {
  const parsed = typeof value === "string" ? parseJson(value) : (value ?? {});
  return isObject(parsed) ? parsed : undefined;
}

function parseJson(text: string): unknown {
  try {
    return text.trim() === "" ? {} : (JSON.parse(text) ?? {});
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The offending value for a message, its beginning if it is long. */
function quote(value: unknown): string {
  const text = typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? "nothing");
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** `<resource>|<url>|<xPathFilter>|<updatedField>|<format>|<zone>|<createdField>|<format>|<zone>` a line, or names. */
function parseUrls(
  text: string,
  defaults: Record<string, unknown>,
  defaultIdField: string,
  other: Other,
): PollingConfiguration {
  const lines = text.split(/\r?\n|\r/).filter((line) => line.trim() !== "");
  if (!lines.some((line) => line.split("|")[1]?.trim().startsWith("/"))) {
    return parseNames(
      lines.flatMap((line) => line.split("|")),
      URLS,
      defaults,
      other,
    );
  }
  const resources = lines.map((line): [string, unknown] => {
    const [
      resource = "",
      url,
      ,
      updatedDateField,
      updatedDateFormat,
      updatedDateTimezone,
      ...created
    ] = line.split("|").map((part) => part.trim());
    const [createdDateField, createdDateFormat, createdDateTimezone] = created;
    const { idField = defaultIdField } = isObject(defaults[resource])
      ? knownFields(defaults[resource])
      : {};
    const updated = { updatedDateField, updatedDateFormat, updatedDateTimezone };
    return [
      resource,
      { url, idField, ...updated, createdDateField, createdDateFormat, createdDateTimezone },
    ];
  });
  const parsed = parseResources(Object.fromEntries(resources));
  return parsed.ok
    ? parsed
    : fault(URLS, `${parsed.message} (${parsed.field.slice(CONFIGURATION.length + 1)})`);
}

function parseNames(
  names: string[],
  field: string,
  defaults: Record<string, unknown>,
  other: Other,
): PollingConfiguration {
  const wanted = new Set(names.map((name) => name.trim()).filter((name) => name !== ""));
  const found = [...wanted].map((name): [string, unknown] => [
    name,
    Object.hasOwn(defaults, name) ? defaults[name] : other(name),
  ]);
  const unknown = found.find(([, configuration]) => configuration === undefined);
  if (unknown !== undefined) return fault(field, `Unknown resource "${unknown[0]}"`);
  return parseResources(Object.fromEntries(found));
}

function parseResources(given: Record<string, unknown>): PollingConfiguration {
  const resources: PolledResource[] = [];
  for (const [resource, value] of Object.entries(given)) {
    const path = `${CONFIGURATION}.${resource}`;
    if (!isObject(value)) return fault(path, `Expected an object, got ${quote(value)}`);
    const own = knownFields(value);
    const { datesConfiguration = {} } = own;
    if (!isObject(datesConfiguration)) {
      return fault(
        `${path}.datesConfiguration`,
        `Expected an object, got ${quote(datesConfiguration)}`,
      );
    }
    const dates = knownFields(datesConfiguration);
    const settings = Settings.safeParse({ ...dates, ...own });
    if (!settings.success) {
      const [issue] = settings.error.issues;
      const name = String(issue?.path[0]);
      const inDates = Object.hasOwn(dates, name) && !Object.hasOwn(own, name);
      return fault(
        `${path}.${inDates ? "datesConfiguration." : ""}${name}`,
        issue?.message ?? "Invalid",
      );
    }
    const expansion = expandTemplates(settings.data.url, 0, settings.data.updatedDateFormat);
    if (!expansion.ok) return fault(`${path}.url`, expansion.message);
    resources.push(polledResource(resource, settings.data));
  }
  return { ok: true, resources };
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

const seconds = numberFrom(0, "a number of seconds");

/** One resource, `datesConfiguration` laid flat. `overlap` is ours: the seconds read again before the last poll. */
const Settings = z.object({
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

/** The fields we know, under their own names whatever the case; null and blank text are absent, other fields ignored. */
function knownFields(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => {
      const name = FIELD_NAMES.get(key.toLowerCase());
      const blank = value === null || (typeof value === "string" && value.trim() === "");
      return name === undefined || blank ? [] : [[name, value]];
    }),
  );
}

function polledResource(resource: string, settings: z.infer<typeof Settings>): PolledResource {
  const { url, idField, filterByUpdatedDate, filterByCurrentDate, pageSize } = settings;
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
