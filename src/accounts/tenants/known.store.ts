import { and, eq, type SQL, sql, type SQLWrapper } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Section } from "../../db/directory/find";
import { fresh } from "../../db/directory/fresh";
import { tenants } from "../../db/tenants";
import { Cache } from "../../values/cache";
import type { Tenant, TenantTerms } from "./tenant";

const section = new Section<Tenant>("tenant of an organization 1");
const remembered = new Cache<string, Tenant>(10_000);

export const columns = {
  id: tenants.id,
  name: tenants.name,
  metadata: tenants.metadata,
  disabled: tenants.disabled,
  rate: tenants.rate,
  retentionDays: tenants.retentionDays,
  createdAt: tenants.createdAt,
};

const keyOf = (organizationId: number, id: string): string =>
  `organization:${organizationId}/tenants/${id}`;

/** SQL of a tenant that is there: one that is being deleted isn't. */
export const isTenant = (organizationId: number, id: string): SQL | undefined =>
  and(
    eq(tenants.organizationId, organizationId),
    eq(tenants.id, id),
    sql`${tenants.deletingAt} IS NULL`,
  );

/** A tenant without D1 where the directory knows it, as it is or was a moment ago; undefined: there is none, or it is being deleted. */
export async function findTenant(
  db: D1Database,
  organizationId: number,
  id: string,
): Promise<Tenant | undefined> {
  const key = keyOf(organizationId, id);
  const now = Date.now();
  const found = await remembered.getAll([key], fresh(now), () =>
    section.find([key], async () => {
      const rows = await drizzle(db)
        .select(columns)
        .from(tenants)
        .where(isTenant(organizationId, id));
      return new Map(rows.map((row) => [key, row]));
    }),
  );
  return found.get(key);
}

/** This isolate asks the directory anew about a tenant. */
export const forgetTenant = (organizationId: number, id: string): void =>
  remembered.delete(keyOf(organizationId, id));

/** SQL for the tenant of a row of another room's; both name it there. Null: the row belongs to none. */
export const tenantBeside = (
  organizationId: SQLWrapper,
  tenantId: SQLWrapper,
): SQL<TenantTerms | null> =>
  sql`iif(${tenantId} IS NULL, NULL, (SELECT json_object('id', t.id, 'isOff', json(iif(t.disabled OR t.deleting_at IS NOT NULL, 'true', 'false')),
      'rate', t.rate, 'retentionDays', t.retention_days)
    FROM ${tenants} AS t WHERE t.organization_id = ${organizationId} AND t.id = ${tenantId}))`.mapWith(
    (text: string): TenantTerms => JSON.parse(text),
  );
