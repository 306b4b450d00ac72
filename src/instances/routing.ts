import { findConnector } from "../connectors/catalog";
import { numericId } from "../values/whole-number";
import type { Connector } from "../connectors/definition";

/**
 * The name of a connector in app-wide webhook URLs, `/events/{family}`. For a connector that an organization made it
 * is the id, since two organizations may use the same key.
 */
export function familyOf({ key, id, webhook }: Connector): string {
  return webhook?.route?.family ?? (findConnector(key) === undefined ? String(id) : key);
}

/** The instance that an address names, as digits or in base64: `20931` or `MjA5MzE=`. */
export function instanceInPath(text: string): number | undefined {
  const digits = /^\d{1,15}$/.test(text) ? text : Buffer.from(text, "base64").toString();
  return numericId(digits);
}

/**
 * How an instance is found when an app-wide webhook names a tenant: the connector's family and the tenant's
 * values.
 */
export function routesOf(
  connector: Connector,
  configuration: Readonly<Record<string, string | null>>,
): { family: string; tenants: string[] } {
  return {
    family: familyOf(connector),
    tenants: tenantValues(connector.webhook?.route?.equals ?? [], configuration),
  };
}

/** The values of the keys that name the tenant; each may be a comma list. */
export function tenantValues(
  keys: readonly string[],
  configuration: Readonly<Record<string, string | null>>,
): string[] {
  const values = keys.flatMap((key) =>
    (configuration[key] ?? "").split(",").map((value) => value.trim()),
  );
  return [...new Set(values.filter((value) => value !== ""))];
}
