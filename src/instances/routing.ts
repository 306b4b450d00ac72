import type { Connector } from "../connectors/definition";

/** Under which name and values an instance is found when a vendor's app-wide webhook names a tenant. */
export function routesOf(
  { key, webhook }: Connector,
  configuration: Readonly<Record<string, string | null>>,
): { family: string; tenants: string[] } {
  return {
    family: webhook?.route?.family ?? key,
    tenants: tenantValues(webhook?.route?.equals ?? [], configuration),
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
