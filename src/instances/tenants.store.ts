import { and, eq, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { Section } from "../db/directory/find";
import { inboundRoutes } from "../db/instances";
import { within } from "../db/within";
import { chunks } from "../values/lists";
import type { Instance } from "./instance";
import { routesOf } from "./routing";

/** Tenants that one query asks for. With the length of a tenant's name they are the size of its parameter. */
const TENANTS_A_QUERY = 2_000;
const LONGEST_TENANT = 300;

/** The instances that a tenant is. */
const section = new Section<number[]>("tenant 1");

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
  const keyOf = (tenant: string): string => `tenant:${family}:${tenant}`;
  const named = tenants.filter((tenant) => tenant.length <= LONGEST_TENANT);
  for (const part of chunks(named, TENANTS_A_QUERY)) {
    const found = await section.find(part.map(keyOf), async (missing) => {
      const unknown = new Set(missing);
      const asked = part.filter((tenant) => unknown.has(keyOf(tenant)));
      const rows = await drizzle(db)
        .select({ id: inboundRoutes.instanceId, tenant: inboundRoutes.tenant })
        .from(inboundRoutes)
        .where(and(eq(inboundRoutes.family, family), within(inboundRoutes.tenant, asked)))
        .limit(most + 1);
      // They may not be all instances of their tenants: nothing that could be kept.
      if (rows.length > most) {
        for (const { id } of rows) ids.add(id);
        return new Map();
      }
      const byTenant = Map.groupBy(rows, ({ tenant }) => keyOf(tenant));
      return new Map([...byTenant].map(([key, some]) => [key, some.map(({ id }) => id)]));
    });
    for (const id of [...found.values()].flat()) ids.add(id);
    if (ids.size > most) break;
  }
  return [...ids];
}
