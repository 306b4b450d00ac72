import { and, eq, inArray } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { inboundRoutes } from "../db/instances";
import type { Instance } from "./instance";
import { routesOf } from "./routing";

/** One delivery is dealt out to this many instances at most. */
const MOST_INSTANCES = 500;

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
  const rows = tenants.map((tenant) => ({ family, tenant, instanceId: id }));
  return [
    drizzle(db).delete(inboundRoutes).where(eq(inboundRoutes.instanceId, id)),
    ...(rows.length === 0 ? [] : [drizzle(db).insert(inboundRoutes).values(rows)]),
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

/** Ids of the instances that any of the tenants is, whoever's they are. */
export async function instancesOfTenants(
  db: D1Database,
  family: string,
  tenants: readonly string[],
): Promise<number[]> {
  if (tenants.length === 0) return [];
  const rows = await drizzle(db)
    .selectDistinct({ id: inboundRoutes.instanceId })
    .from(inboundRoutes)
    .where(
      and(eq(inboundRoutes.family, family), inArray(inboundRoutes.tenant, tenants.slice(0, 90))),
    )
    .limit(MOST_INSTANCES);
  return rows.map(({ id }) => id);
}
