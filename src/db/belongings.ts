import { and, eq, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { users } from "./accounts";
import { destinations } from "./delivery";
import { instances } from "./instances";
import { within } from "./within";

/**
 * What belongs to tenants: which rows name them, whichever room's they are. Nothing else is written down per tenant, so
 * what was counted or done by a source is found by the source's tenant of now.
 */

const KINDS = ["instances", "users", "destinations"] as const;
type Belongings = Record<(typeof KINDS)[number], number>;

/** Whose sources they are: `instance:27`, `user:7`. */
const SOURCES = { instance: instances, user: users };

type Table = SQLiteTable & { organizationId: SQLiteColumn; tenantId: SQLiteColumn };
const isOf = (table: Table, organizationId: number, tenant: string): SQL | undefined =>
  and(eq(table.organizationId, organizationId), eq(table.tenantId, tenant));

/** Of its destinations those that were made for it: the others come and go with instances and flows. */
const belongings = (organizationId: number, tenant: string) => ({
  instances: { table: instances, where: isOf(instances, organizationId, tenant) },
  users: { table: users, where: isOf(users, organizationId, tenant) },
  destinations: {
    table: destinations,
    where: and(isOf(destinations, organizationId, tenant), sql`kind = 'endpoint'`),
  },
});

/** SQL that is true while nothing belongs to a tenant. */
export function hasNothing(organizationId: number, tenant: string): SQL {
  const all = Object.values(belongings(organizationId, tenant));
  return sql.join(
    all.map(({ table, where }) => sql`NOT EXISTS (SELECT 1 FROM ${table} WHERE ${where})`),
    sql` AND `,
  );
}

/** How much belongs to a tenant. */
export async function countBelongings(
  db: D1Database,
  organizationId: number,
  tenant: string,
): Promise<Belongings> {
  const all = belongings(organizationId, tenant);
  const [ofInstances = 0, ofUsers = 0, ofDestinations = 0] = await Promise.all(
    KINDS.map(async (kind) => drizzle(db).$count(all[kind].table, all[kind].where)),
  );
  return { instances: ofInstances, users: ofUsers, destinations: ofDestinations };
}

/** The tenants of sources, by the source's name; those of `tenants` alone, or all of the organization's. */
export async function tenantsOfSources(
  db: D1Database,
  organizationId: number,
  tenants?: readonly string[],
): Promise<Map<string, string>> {
  const found = await Promise.all(
    Object.entries(SOURCES).map(([kind, table]) =>
      drizzle(db)
        .select({ source: sql<string>`${`${kind}:`} || ${table.id}`, tenant: table.tenantId })
        .from(table)
        .where(
          and(
            eq(table.organizationId, organizationId),
            sql`${table.tenantId} IS NOT NULL`,
            tenants && within(table.tenantId, tenants),
          ),
        ),
    ),
  );
  return new Map(found.flat().map(({ source, tenant }) => [source, tenant ?? ""]));
}

/** What is delivered to tenants: the ids of their destinations, those of their instances and flows among them. */
export async function destinationsOfTenants(
  db: D1Database,
  organizationId: number,
  tenants: readonly string[],
): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ id: destinations.id })
    .from(destinations)
    .where(
      and(eq(destinations.organizationId, organizationId), within(destinations.tenantId, tenants)),
    );
  return rows.map(({ id }) => id);
}

/** What is reached with tenants: the names of their sources. */
export async function sourcesOfTenants(
  db: D1Database,
  organizationId: number,
  tenants: readonly string[],
): Promise<string[]> {
  const found = await tenantsOfSources(db, organizationId, tenants);
  return [...tenants.map((id) => `tenant:${id}`), ...found.keys()];
}
