import type { Connector } from "../../connectors/definition";
import { isStreamFeed } from "../../connectors/parsers";
import { pollable } from "../../instances/entries";
import { isObject } from "../../values/record";

/** A resource in the form of an instance: whether it is polled, and how, as JSON. */
export type Offered = { name: string; isPolled: boolean; json: string };

type Values = Readonly<Record<string, string | null>>;

const CONFIGURATION = "event.poller.configuration";

/** How the form asks for what is polled: resources to choose; `feed`: all changes of the account come in one; `lines`: the legacy form, as text. */
export function askedAs(connector: Connector, values: Values): "resources" | "feed" | "lines" {
  if (isStreamFeed(connector)) return "feed";
  const isLegacy =
    (values["event.poller.urls"] ?? "").trim() !== "" && configured(values) === undefined;
  return isLegacy ? "lines" : "resources";
}

/** The resources that an instance can poll, those that it does poll marked: by default the connector's own. */
export function offeredResources(connector: Connector, values: Values): Offered[] {
  const known: Record<string, unknown> = pollable(connector);
  const own = configured(values);
  const names = namesOf(values["event.objects"] ?? "");
  const isPolled = (name: string): boolean => {
    if (own !== undefined) return Object.hasOwn(own, name);
    return names.length > 0 ? names.includes(name) : Object.hasOwn(connector.events.polling, name);
  };
  const all = { ...known, ...own };
  return Object.entries(all).map(([name, configuration]) => ({
    name,
    isPolled: isPolled(name),
    json: readable(configuration),
  }));
}

/** The instance's own poll configuration; undefined when it has none, or what it has is no object. */
function configured(values: Values): Record<string, unknown> | undefined {
  const parsed = parsedObject(values[CONFIGURATION] ?? "");
  return parsed === undefined || Object.keys(parsed).length === 0 ? undefined : parsed;
}

const namesOf = (text: string): string[] =>
  text
    .split(/[,|\r\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== "");

export function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const readable = (value: unknown): string => JSON.stringify(value, null, 2);

/** Settings of a resource that have a field of their own; all others are in its JSON. */
export const FIELDS = [
  ["url", "URL", "What is asked of the hub; ${date:…} becomes the last poll's time"],
  ["idField", "Id field", "Where a record has its id"],
  ["updatedDateField", "Updated: field", "Where a record says when it was changed"],
  ["updatedDateFormat", "Updated: format", "A Java pattern, milliseconds or seconds"],
  ["updatedDateTimezone", "Updated: time zone", "Of dates that name none"],
  ["createdDateField", "Created: field", "Where a record says when it was made"],
  ["createdDateFormat", "Created: format", "As above"],
  ["createdDateTimezone", "Created: time zone", "As above"],
  ["refreshInterval", "Interval", "Minutes between its polls; empty: as the instance's"],
  ["pageSize", "Page size", "Records asked for at a time"],
] as const;
export type Field = (typeof FIELDS)[number][0];

const isDate = (field: Field): boolean => field.includes("Date");

/** A setting as its field shows it. */
export function fieldText(configuration: Record<string, unknown>, field: Field): string {
  const dates = configuration["datesConfiguration"];
  const value =
    configuration[field] ?? (isDate(field) && isObject(dates) ? dates[field] : undefined);
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export type Merged = { ok: true; json: string } | { ok: false; message: string };

/**
 * A resource's configuration from its form: its JSON where that was changed, else `was` with what was typed into the
 * fields.
 */
export function mergedResource(typed: {
  was: string;
  json: string;
  fields: Partial<Record<Field, string>>;
}): Merged {
  const unix = (text: string): string => text.replaceAll("\r\n", "\n").trim();
  const configuration = parsedObject(typed.was);
  if (configuration === undefined || unix(typed.json) !== unix(typed.was)) {
    const given = parsedObject(typed.json);
    return given === undefined
      ? { ok: false, message: "Expected a JSON object" }
      : { ok: true, json: readable(given) };
  }
  for (const [field] of FIELDS) {
    const text = typed.fields[field]?.trim();
    if (text !== undefined && text !== fieldText(configuration, field))
      setField(configuration, field, text);
  }
  return { ok: true, json: readable(configuration) };
}

function setField(configuration: Record<string, unknown>, field: Field, text: string): void {
  const dates = configuration["datesConfiguration"];
  const isFlat = !isDate(field) || Object.hasOwn(configuration, field);
  const place = isFlat ? configuration : isObject(dates) ? dates : {};
  if (!isFlat) configuration["datesConfiguration"] = place;
  if (text === "") delete place[field];
  else place[field] = text;
}

/** What the chosen resources are as configuration; the connector's own, unchanged, are none of the instance's. */
export function pollConfiguration(connector: Connector, chosen: readonly Offered[]): string {
  const polled = chosen.filter(({ isPolled }) => isPolled);
  const given = Object.fromEntries(
    polled.map(({ name, json }): [string, unknown] => [name, parsedObject(json) ?? {}]),
  );
  const own = connector.events.polling;
  const isOwn =
    Object.keys(given).length === Object.keys(own).length &&
    Object.entries(given).every(
      ([name, configuration]) => JSON.stringify(configuration) === JSON.stringify(own[name]),
    );
  return isOwn ? "{}" : JSON.stringify(given);
}
