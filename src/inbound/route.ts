import type { Connector } from "../connectors/definition";
import { textOf } from "../connectors/read";
import type { TenantRule, Webhook } from "../connectors/webhook";
import { DEEPEST, nestsDeeper } from "../values/depth";
import { tenantValues } from "../instances/routing";
import { readPath } from "../values/path";
import { parseExactly } from "../values/json";

/** A delivery's content: JSON with all digits, a form's or a query's fields, or text (XML). */
export type Content = { body: unknown; text: string };
export type Parsed = { ok: true; content: Content } | { ok: false; message: string };

/** What a body holds, by its own look: vendors are careless with content types. */
export function parseContent(text: string, contentType: string | null): Parsed {
  const trimmed = text.trimStart();
  if (trimmed.startsWith("<")) return { ok: true, content: { body: text, text } };
  if (trimmed === "") return { ok: true, content: { body: {}, text: "" } };
  if (contentType?.toLowerCase().startsWith("application/x-www-form-urlencoded") === true)
    return { ok: true, content: { body: fieldsOf(new URLSearchParams(text)), text } };
  if (nestsDeeper(text))
    return { ok: false, message: `The body is nested deeper than ${DEEPEST} levels` };
  const parsed = parseExactly(text);
  return parsed.ok
    ? { ok: true, content: { body: parsed.value, text } }
    : { ok: false, message: "The body is neither JSON nor XML nor a form" };
}

export function fieldsOf(parameters: URLSearchParams): Record<string, string> {
  return Object.fromEntries(parameters);
}

/** One tenant's part of a delivery: no tenant sees what is another's. */
export type Part = { tenant: string; content: Content };

/** The parts of a delivery by tenant; none when it names no tenant. */
export function partsOf({ route }: Webhook, content: Content): Part[] {
  for (const rule of route?.tenants ?? []) {
    const parts = partsBy(rule, content);
    if (parts.length > 0) return parts;
  }
  return [];
}

function partsBy(rule: TenantRule, content: Content): Part[] {
  if ("element" in rule) {
    const tenant = elementText(content.text, rule.element);
    return tenant === undefined ? [] : [{ tenant, content }];
  }
  if (rule.list === undefined) {
    const tenant = textOf(readPath(content.body, rule.path));
    return tenant === undefined ? [] : [{ tenant, content }];
  }
  const list = readPath(content.body, rule.list);
  if (!Array.isArray(list)) return [];
  const items: unknown[] = list;
  const groups = Map.groupBy(items, (item) => textOf(readPath(item, rule.path)));
  // A delivery that is all one tenant's stays as it came, byte for byte.
  const [only] = groups.keys();
  if (groups.size === 1 && only !== undefined) return [{ tenant: only, content }];
  return [...groups].flatMap(([tenant, own]) => {
    if (tenant === undefined) return [];
    const body = withList(content.body, rule.list ?? "", own);
    return { tenant, content: { body, text: JSON.stringify(body) } };
  });
}

/** `value` with the list at `path` replaced. */
function withList(value: unknown, path: string, list: unknown[]): unknown {
  if (path === "") return list;
  const [first = "", ...rest] = path.split(".");
  const inner = readPath(value, first);
  return { [first]: withList(inner, rest.join("."), list) };
}

/**
 * The text of the first XML element `name`, whatever its prefix. The XML parser takes microseconds a byte, too long
 * for a delivery that nobody has proved yet: this reads each tag once.
 */
function elementText(text: string, name: string): string | undefined {
  for (let open = text.indexOf("<"); open !== -1; open = text.indexOf("<", open + 1)) {
    const start = text.startsWith(name, open + 1) ? open + 1 : localName(text, open + 1);
    if (!text.startsWith(name, start) || !/[\s>]/.test(text.charAt(start + name.length))) continue;
    const close = text.indexOf(">", start);
    const end = close === -1 ? -1 : text.indexOf("<", close);
    if (end === -1) return undefined;
    const content = text.slice(close + 1, end).trim();
    if (text[end + 1] === "/" && content !== "" && !/\s/.test(content)) return content;
    open = end - 1;
  }
  return undefined;
}

/** Where the name of a tag begins behind its prefix, of at most 64 characters: `sf:Id`. */
function localName(text: string, at: number): number {
  return at + (/^\w{1,64}:/.exec(text.slice(at, at + 65))?.[0].length ?? 0);
}

/**
 * What of a delivery is this instance's: the parts of its own tenant; all of it when neither the delivery
 * nor the instance names a tenant.
 */
export function ownParts(
  webhook: Webhook,
  content: Content,
  configuration: Readonly<Record<string, string | null>>,
): Content[] {
  const values = tenantValues(webhook.route?.equals ?? [], configuration);
  const parts = partsOf(webhook, content);
  if (values.length === 0 || parts.length === 0) return [content];
  return parts.flatMap((part) => (values.includes(part.tenant) ? [part.content] : []));
}

/** `MjA5MzE=` or `20931`: the instance that an address names. */
export function instanceInPath(text: string): number | undefined {
  const digits = /^\d{1,15}$/.test(text) ? text : Buffer.from(text, "base64").toString();
  return /^[1-9]\d{0,14}$/.test(digits) ? Number(digits) : undefined;
}

/** The instances that a header names: `12,13`. */
export function idsIn(text: string): number[] {
  return text
    .split(",")
    .map((part) => Number(part.trim()))
    .filter((id) => Number.isSafeInteger(id) && id > 0);
}

/** Whether an address of `element` is one of this connector's; connectors of one family share theirs. */
export function isAddressedBy(
  connector: Connector,
  element: string,
  shared: Connector | undefined,
): boolean {
  const family = shared?.webhook?.route?.family;
  return (
    connector.key === element.toLowerCase() ||
    String(connector.id) === element ||
    (family !== undefined && family === connector.webhook?.route?.family)
  );
}
