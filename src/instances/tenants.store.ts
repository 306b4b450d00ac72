import { and, eq, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { inboundRoutes } from "../db/instances";
import { within } from "../db/within";
import { chunks } from "../values/lists";
import type { Instance } from "./instance";
import { routesOf } from "./routing";

/** Tenants that one query asks for. With the length of a tenant's name they are the size of its parameter. */
const TENANTS_A_QUERY = 2_000;
const LONGEST_TENANT = 300;

/**
 * Rewrites the routes by which app-wide webhooks find the instance; nothing for connectors without such
 * webhooks.
 */
export function routeStatements(
  db: D1Database,
  { id, connector, configuration }: Pick<Instance, "id" | "connector" | "configuration">,
): BatchItem<"sqlite">[] {
  if (connector.webhook?.route === undefined) return [];
  const { family, tenants } = routesOf(connector, configuration);
  const rows = sql`SELECT ${family}, value, ${id} FROM json_each(${JSON.stringify(tenants)})`;
  return [
    drizzle(db).delete(inboundRoutes).where(eq(inboundRoutes.instanceId, id)),
    ...(tenants.length === 0 ? [] : [drizzle(db).insert(inboundRoutes).select(rows)]),
  ];
}

/** Rewrites the routes of an instance if `changes` touch a configuration value that names its tenant. */
export function renamed(
  db: D1Database,
  instance: Instance,
  changes: Readonly<Record<string, string | null>>,
): BatchItem<"sqlite">[] {
  const keys = instance.connector.webhook?.route?.equals ?? [];
  const isRenamed = keys.some(
    (key) => key in changes && changes[key] !== (instance.configuration[key] ?? null),
  );
  const configuration = { ...instance.configuration, ...changes };
  return isRenamed ? routeStatements(db, { ...instance, configuration }) : [];
}

/** Removes the routes of an instance. */
export function forgetTenants(db: D1Database, { id, connector }: Instance): BatchItem<"sqlite">[] {
  return connector.webhook?.route === undefined
    ? []
    : [drizzle(db).delete(inboundRoutes).where(eq(inboundRoutes.instanceId, id))];
}

/** Ids of the instances that any of the tenants is, whoever's they are: all of them, or more than `most`. */
export async function instancesOfTenants(
  db: D1Database,
  family: string,
  tenants: readonly string[],
  most: number,
): Promise<number[]> {
  const ids = new Set<number>();
  const named = tenants.filter((tenant) => tenant.length <= LONGEST_TENANT);
  for (const part of chunks(named, TENANTS_A_QUERY)) {
    const rows = await drizzle(db)
      .selectDistinct({ id: inboundRoutes.instanceId })
      .from(inboundRoutes)
      .where(and(eq(inboundRoutes.family, family), within(inboundRoutes.tenant, part)))
      .limit(most + 1);
    for (const { id } of rows) ids.add(id);
    if (ids.size > most) break;
  }
  return [...ids];
}
