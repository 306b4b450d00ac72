import { findConnector } from "../connectors/catalog";
import type { Connector } from "../connectors/definition";

/** What an app-wide address is known by: a connector that an organization made is so by its id, as keys are private. */
export function familyOf({ key, id, webhook }: Connector): string {
  return webhook?.route?.family ?? (findConnector(key) === undefined ? String(id) : key);
}

/** Under which name and values an instance is found when a vendor's app-wide webhook names a tenant. */
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
