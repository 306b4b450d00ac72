import { textOf } from "../connectors/read";
import { textOfElement } from "../connectors/xml";
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

/** The tenants of a delivery, each once: the keys of its parts, which aren't built while nobody has proved to be one of them. */
export function tenantsOf({ route }: Webhook, content: Content): string[] {
  for (const rule of route?.tenants ?? []) {
    const tenants = new Set(tenantsBy(rule, content));
    if (tenants.size > 0) return [...tenants];
  }
  return [];
}

function tenantsBy(rule: TenantRule, content: Content): string[] {
  if ("element" in rule || rule.list === undefined)
    return partsBy(rule, content).map(({ tenant }) => tenant);
  const list = readPath(content.body, rule.list);
  const items: unknown[] = Array.isArray(list) ? list : [];
  return items.flatMap((item) => textOf(readPath(item, rule.path)) ?? []);
}

function partsBy(rule: TenantRule, content: Content): Part[] {
  if ("element" in rule) {
    const tenant = textOfElement(content.text, rule.element);
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

/** The parts of a delivery that an instance's tenant may see; all of it when delivery or instance names no tenant. */
export type Deal = (
  webhook: Webhook,
  configuration: Readonly<Record<string, string | null>>,
) => Content[];

/** Deals a delivery out to the instances that it is for. Its parts are built once for all that share a rule. */
export function dealt(content: Content): Deal {
  const known = new Map<string, Map<string, Content>>();
  const partsFor = (webhook: Webhook): Map<string, Content> => {
    const rule = JSON.stringify(webhook.route?.tenants ?? []);
    const parts =
      known.get(rule) ??
      new Map(partsOf(webhook, content).map((part) => [part.tenant, part.content]));
    known.set(rule, parts);
    return parts;
  };
  return (webhook, configuration) => {
    const values = tenantValues(webhook.route?.equals ?? [], configuration);
    const parts = partsFor(webhook);
    if (values.length === 0 || parts.size === 0) return [content];
    return values.flatMap((tenant) => parts.get(tenant) ?? []);
  };
}
