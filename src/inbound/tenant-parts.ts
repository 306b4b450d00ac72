import { textOf } from "../connectors/read";
import type { TenantRule, Webhook } from "../connectors/webhook";
import { tenantValues } from "../instances/routing";
import { readPath } from "../values/path";
import type { Content } from "./content";

/** The part of a delivery that one tenant may see. */
export type Part = { tenant: string; content: Content };

/**
 * The parts of a delivery by tenant; none when it names no tenant. A vendor that has one address for all its customers
 * puts changes of several of them into one body: `[{"portalId":1,…},{"portalId":2,…}]` has two parts.
 */
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
  // When everything is one tenant's, the body is kept byte for byte.
  const [only] = groups.keys();
  if (groups.size === 1 && only !== undefined) return [{ tenant: only, content }];
  return [...groups].flatMap(([tenant, itemsOfTenant]) => {
    if (tenant === undefined) return [];
    const body = withList(content.body, rule.list ?? "", itemsOfTenant);
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
 * for a delivery whose signature is not checked yet: this reads each tag once.
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

/** The parts of a delivery that this instance's tenant may see; all of it when delivery or instance names no tenant. */
export function partsOfInstance(
  webhook: Webhook,
  content: Content,
  configuration: Readonly<Record<string, string | null>>,
): Content[] {
  const values = tenantValues(webhook.route?.equals ?? [], configuration);
  const parts = partsOf(webhook, content);
  if (values.length === 0 || parts.length === 0) return [content];
  return parts.flatMap((part) => (values.includes(part.tenant) ? [part.content] : []));
}
