import { isObject } from "../../values/record";
import { readPath } from "../../values/path";
import { ASKED, AUTHENTICATION, BASICS, EVENTS, RESOURCE, WEBHOOK } from "./fields";
import { withResource } from "./resource-row";
import { withWebhook } from "./webhook-rule";

/**
 * A definition as a form shows it, and how what was typed there comes into the document. The page says what the form showed
 * (`seen`): only what differs from it is laid over the document, so that both may be edited at once, without scripts too.
 */

export type Values = Readonly<Record<string, string>>;
export type Document = Record<string, unknown>;

const SINGLE = [...BASICS, ...AUTHENTICATION].map(({ name }) => name);
const ALL_SINGLE = [
  ...SINGLE,
  ...EVENTS.map(({ name }) => name),
  ...WEBHOOK.map(({ name }) => name),
];
/** More rows than these are edited in the document. */
export const MOST_ROWS = 20;

/** A text, or a number or yes and no as such. */
export const textAt = (value: unknown, path: string): string => {
  const found = readPath(value, path);
  return typeof found === "string" || typeof found === "number" || typeof found === "boolean"
    ? String(found)
    : "";
};

/** What the form shows of a document, by the names of its controls; the last row of each list is empty. */
export function shownIn(document: Document): Values {
  const methods = readPath(document, "events.methods");
  const shown: Record<string, string> = {
    ...Object.fromEntries(SINGLE.map((name) => [name, textAt(document, name)])),
    "authentication.in": textAt(document, "authentication.in") || "header",
    "events.methods": Array.isArray(methods) ? methods.map(String).toSorted().join(",") : "",
    ...webhookShown(document),
  };
  const rows = (
    list: string,
    items: Values[],
    names: readonly { name: string }[],
    empty: Values,
  ): void => {
    for (const [index, item] of [...items.slice(0, MOST_ROWS), empty].entries())
      for (const { name } of names) shown[`${list}.${index}.${name}`] = item[name] ?? "";
  };
  const asked = Array.isArray(document["configuration"]) ? document["configuration"] : [];
  rows(
    "configuration",
    asked.map((one) => Object.fromEntries(ASKED.map(({ name }) => [name, textAt(one, name)]))),
    ASKED,
    { type: "PASSWORD" },
  );
  rows(
    "resources",
    resourcesOf(document).map(([name]) => resourceShown(document, name)),
    RESOURCE,
    { style: "none" },
  );
  return shown;
}

export const resourcesOf = (document: Document): [string, unknown][] =>
  isObject(document["resources"]) ? Object.entries(document["resources"]) : [];

function resourceShown(document: Document, name: string): Values {
  const resource = resourcesOf(document).find(([key]) => key === name)?.[1];
  const polling = readPath(document, "events.polling");
  const polled = isObject(polling) ? polling[name] : undefined;
  const updated = textAt(resource, "updatedField");
  const conditions = readPath(resource, "where");
  const since = isObject(conditions) ? conditions[updated] : undefined;
  const paging = (member: string): string => textAt(resource, `paging.${member}`);
  return {
    name,
    path: textAt(resource, "list.path"),
    root: textAt(resource, "list.root"),
    id: textAt(resource, "idField"),
    updated,
    created: textAt(resource, "createdField"),
    format: textAt(polled, "datesConfiguration.updatedDateFormat"),
    since: textAt(since, "parameter"),
    style: paging("style") || "none",
    parameter: paging("pageParameter") || paging("offsetParameter") || paging("cursorParameter"),
    next: paging("cursorPath") || paging("urlPath"),
    size: paging("sizeParameter"),
  };
}

function webhookShown({ webhook }: Document): Values {
  const rule = (member: string): string => textAt(webhook, `extraction.${member}`);
  const map = readPath(webhook, "extraction.eventType.map");
  const saying = (type: string): string =>
    isObject(map)
      ? Object.entries(map)
          .filter(([, value]) => value === type)
          .map(([text]) => text)
          .join(", ")
      : "";
  return {
    "webhook.header": textAt(webhook, "signatures.0.header"),
    "webhook.algorithm": textAt(webhook, "signatures.0.algorithm") || "hmac-sha256",
    "webhook.encoding": textAt(webhook, "signatures.0.encoding") || "hex",
    "webhook.prefix": textAt(webhook, "signatures.0.prefix"),
    "webhook.list": rule("list"),
    "webhook.objectType": rule("objectType.value"),
    "webhook.objectId": rule("objectId.path"),
    "webhook.eventType": rule("eventType.path"),
    "webhook.created": saying("CREATED"),
    "webhook.deleted": saying("DELETED"),
    "webhook.date": rule("date.path"),
  };
}

/** The document with what was typed since the form was shown. */
export function withTyped(document: Document, typed: Values, seen: Values): Document {
  const isTyped = (name: string): boolean =>
    typed[name] !== undefined && typed[name] !== (seen[name] ?? "");
  let changed = document;
  for (const name of SINGLE)
    if (isTyped(name) && name !== "authentication.type")
      changed = withMember(changed, name.split("."), typed[name] ?? "");
  if (isTyped("authentication.type")) changed = { ...changed, authentication: newProof(typed) };
  if (isTyped("events.methods")) changed = withMethods(changed, typed["events.methods"] ?? "");
  changed = withAsked(changed, rowsOf("configuration", ASKED, typed, seen, isTyped));
  for (const { before, after } of rowsOf("resources", RESOURCE, typed, seen, isTyped))
    changed = withResource(changed, before, after);
  if (WEBHOOK.some(({ name }) => isTyped(name))) changed = withWebhook(changed, typed);
  return changed;
}

/** A member at a path, set; an empty text takes it away. */
function withMember(holder: Document, [name = "", ...rest]: string[], value: string): Document {
  const { [name]: present, ...others } = holder;
  if (rest.length > 0) {
    const inner = withMember(isObject(present) ? present : {}, rest, value);
    return Object.keys(inner).length === 0 ? others : { ...holder, [name]: inner };
  }
  return value === "" ? others : { ...holder, [name]: value };
}

/** Members of one way to prove an account are unknown to another. */
function newProof(typed: Values): Document {
  const type = typed["authentication.type"] ?? "";
  const own = AUTHENTICATION.filter(({ when }) => when?.[1].includes(type) === true);
  const members = own.map(({ name }) => [name.split(".")[1] ?? "", typed[name] ?? ""] as const);
  return { type, ...Object.fromEntries(members.filter(([, value]) => value !== "")) };
}

function withMethods(document: Document, text: string): Document {
  const methods = text.split(",");
  const events = isObject(document["events"]) ? document["events"] : {};
  const chosen = textAt(events, "defaultMode");
  const defaultMode = methods.includes(chosen) ? chosen : methods[0];
  return { ...document, events: { ...events, methods, defaultMode } };
}

type Row = { index: number; before: Values; after: Values };

/** The rows of a list in which something was typed. */
function rowsOf(
  list: string,
  fields: readonly { name: string }[],
  typed: Values,
  seen: Values,
  isTyped: (name: string) => boolean,
): Row[] {
  const row = (from: Values, index: number): Values =>
    Object.fromEntries(fields.map(({ name }) => [name, from[`${list}.${index}.${name}`] ?? ""]));
  return Array.from({ length: MOST_ROWS + 1 }, (_, index) => index).flatMap((index) =>
    fields.some(({ name }) => isTyped(`${list}.${index}.${name}`))
      ? [{ index, before: row(seen, index), after: row(typed, index) }]
      : [],
  );
}

/** A row without a key is taken away. */
function withAsked(document: Document, rows: readonly Row[]): Document {
  if (rows.length === 0) return document;
  const { configuration } = document;
  const present: unknown[] = Array.isArray(configuration) ? [...configuration] : [];
  for (const { index, before, after } of rows)
    if (before["key"] === "") present.push(named(after));
    else present[index] = { ...(isObject(present[index]) ? present[index] : {}), ...named(after) };
  return { ...document, configuration: present.filter((one) => textAt(one, "key") !== "") };
}

const named = ({ key = "", name = "", type }: Values): Document => ({
  key,
  name: name === "" ? key : name,
  type,
});

/** The control that stands for a member of the document, if one does. */
export function controlOf(field: string, document: Document): string | undefined {
  const row = resourcesOf(document).findIndex(
    ([name]) =>
      field.startsWith(`resources.${name}.`) || field.startsWith(`events.polling.${name}`),
  );
  if (row >= 0) return `resources.${row}.${memberOfRow(field)}`;
  const rule = RULES.find(([path]) => field.startsWith(path));
  if (rule !== undefined) return rule[1];
  const isShown = ALL_SINGLE.includes(field) || /^configuration\.\d+\.(key|name|type)$/.test(field);
  if (isShown) return field;
  return field === "authentication" ? "authentication.type" : undefined;
}

const RULES = [
  ["webhook.signatures.0.header", "webhook.header"],
  ["webhook.signatures.0.algorithm", "webhook.algorithm"],
  ["webhook.signatures.0.encoding", "webhook.encoding"],
  ["webhook.extraction.objectType", "webhook.objectType"],
  ["webhook.extraction.objectId", "webhook.objectId"],
  ["webhook.extraction.eventType", "webhook.eventType"],
  ["webhook.extraction.date", "webhook.date"],
  ["webhook", "webhook.objectId"],
  ["events.methods", "events.methods"],
  ["events.defaultMode", "events.methods"],
] as const;

const MEMBERS = [
  [".list.path", "path"],
  [".list.root", "root"],
  [".idField", "id"],
  [".updatedField", "updated"],
  [".createdField", "created"],
  [".paging.style", "style"],
  [".paging.sizeParameter", "size"],
  [".paging.cursorPath", "next"],
  [".paging.urlPath", "next"],
  [".paging", "parameter"],
  [".where", "since"],
] as const;

function memberOfRow(field: string): string {
  if (field.startsWith("events.polling.")) return "format";
  return MEMBERS.find(([path]) => field.includes(path))?.[1] ?? "name";
}
