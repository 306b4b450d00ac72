import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { apiKeys, users } from "../../db/accounts";
import { countBelongings, hasNothing } from "../../db/belongings";
import { type Changed, tellDirectory } from "../../db/directory/tell";
import { tenants } from "../../db/tenants";
import { within } from "../../db/within";
import { forgetAskers } from "../store";
import { forgetUsers } from "../users/store";
import { columns, forgetTenant, isTenant } from "./known.store";
import type { Tenant, TenantChange } from "./tenant";

/** Makes a tenant. @returns undefined when the organization has one of that id, or had and it is still being deleted. */
export async function createTenant(
  db: D1Database,
  organizationId: number,
  draft: Omit<Tenant, "createdAt">,
  now: number,
): Promise<Tenant | undefined> {
  const [row] = await drizzle(db)
    .insert(tenants)
    .values({ ...draft, organizationId, createdAt: now, updatedAt: now })
    .onConflictDoNothing()
    .returning(columns);
  return row;
}

/** An organization's tenants in the order of their ids, from after `after`; with `search` those whose id or name contains it. */
export async function listTenants(
  db: D1Database,
  organizationId: number,
  page: {
    after: string;
    limit: number;
    /** Absent: all. */
    ids?: readonly string[] | undefined;
    search?: string;
  },
): Promise<Tenant[]> {
  const text = sql`lower(${tenants.id} || ' ' || ${tenants.name})`;
  return drizzle(db)
    .select(columns)
    .from(tenants)
    .where(
      and(
        eq(tenants.organizationId, organizationId),
        isNull(tenants.deletingAt),
        gt(tenants.id, page.after),
        page.ids && within(tenants.id, page.ids),
        page.search === undefined
          ? undefined
          : sql`instr(${text}, ${page.search.toLowerCase()}) > 0`,
      ),
    )
    .orderBy(tenants.id)
    .limit(page.limit);
}

/** A tenant, read now; undefined: there is none, or it is being deleted. */
export async function readTenant(
  db: D1Database,
  organizationId: number,
  id: string,
): Promise<Tenant | undefined> {
  const [row] = await drizzle(db).select(columns).from(tenants).where(isTenant(organizationId, id));
  return row;
}

/** Changes what is named, and leaves the rest. @returns undefined when there is no such tenant. */
export async function changeTenant(
  db: D1Database,
  organizationId: number,
  id: string,
  change: TenantChange,
  now: number,
): Promise<Tenant | undefined> {
  const set = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const [row] = await drizzle(db)
    .update(tenants)
    .set({ ...set, updatedAt: now })
    .where(isTenant(organizationId, id))
    .returning(columns);
  await tell(db, organizationId, id);
  return row;
}

/** Before whoever changed a tenant is answered: nobody goes on with what it was. */
async function tell(db: D1Database, organizationId: number, id: string): Promise<void> {
  await tellDirectory(db, `tenant:${organizationId}/${id}`);
  forgetTenant(organizationId, id);
  forgetUsers();
}

export type TenantDeletion =
  | { kind: "begun"; tenant: Tenant; isEmpty: boolean }
  | { kind: "unknown" }
  /** Something belongs to it that was not to be deleted with it. */
  | { kind: "holds"; counts: Awaited<ReturnType<typeof countBelongings>> };

/**
 * Closes a tenant for good; what deletes organizations (`operations/erasure`) deletes what is its, and it last. Its users
 * are closed with it, keys that reach nothing else are revoked, and others reach it no more.
 * @param withAll Whether what belongs to it may go with it; else it has to have nothing.
 */
export async function beginTenantDeletion(
  db: D1Database,
  organizationId: number,
  id: string,
  { withAll, now }: { withAll: boolean; now: number },
): Promise<TenantDeletion> {
  const tenant = await readTenant(db, organizationId, id);
  if (tenant === undefined) return { kind: "unknown" };
  const counts = await countBelongings(db, organizationId, id);
  const isEmpty = Object.values(counts).every((count) => count === 0);
  const ids = { id: tenants.id };
  const [begun, ...closed] = await drizzle(db).batch([
    drizzle(db)
      .update(tenants)
      .set({ deletingAt: now })
      .where(
        and(isTenant(organizationId, id), withAll ? undefined : hasNothing(organizationId, id)),
      )
      .returning(ids),
    ...closings(db, organizationId, id, now),
  ]);
  if (begun.length === 0) return { kind: "holds", counts };
  await tellDirectory(db, ...closed.flat().map(({ changed }) => changed));
  await tell(db, organizationId, id);
  forgetAskers();
  return { kind: "begun", tenant, isEmpty };
}

/** In the transaction that begins a tenant's deletion, if it does: its users and keys are closed. */
function closings(db: D1Database, organizationId: number, id: string, now: number) {
  const orm = drizzle(db);
  const isBegun = sql`EXISTS (SELECT 1 FROM ${tenants} AS t
    WHERE t.organization_id = ${organizationId} AND t.id = ${id} AND t.deleting_at IS NOT NULL)`;
  const listed = sql`json_each(${apiKeys.limits}, '$.tenants') WHERE value`;
  const ofTenant = and(
    eq(apiKeys.organizationId, organizationId),
    sql`EXISTS (SELECT 1 FROM ${listed} = ${id})`,
    isBegun,
  );
  const reaches = (list: string) => sql`json_array_length(${apiKeys.limits}, ${`$.${list}`})`;
  const reached = sql`${reaches("sources")} + ${reaches("destinations")} + ${reaches("tenants")}`;
  const others = sql`json((SELECT json_group_array(value) FROM ${listed} <> ${id}))`;
  const key = { changed: sql<Changed>`'api-key:' || ${apiKeys.id}` };
  return [
    orm
      .delete(apiKeys)
      .where(and(ofTenant, sql`${reached} = 1`))
      .returning(key),
    orm
      .update(apiKeys)
      .set({ limits: sql`json_set(${apiKeys.limits}, '$.tenants', ${others})` })
      .where(ofTenant)
      .returning(key),
    orm
      .update(users)
      .set({ isActive: false, tokenVersion: sql`${users.tokenVersion} + 1`, deletingAt: now })
      .where(
        and(
          eq(users.organizationId, organizationId),
          eq(users.tenantId, id),
          isNull(users.deletingAt),
          isBegun,
        ),
      )
      .returning({ changed: sql<Changed>`'user:' || ${users.id}` }),
  ] as const;
}

/** Tenants whose deletion is under way, the longest first. */
export async function tenantsToDelete(
  db: D1Database,
  limit: number,
): Promise<{ id: string; organizationId: number; deletingAt: number }[]> {
  const rows = await drizzle(db)
    .select({
      id: tenants.id,
      organizationId: tenants.organizationId,
      deletingAt: tenants.deletingAt,
    })
    .from(tenants)
    .where(sql`${tenants.deletingAt} IS NOT NULL`)
    .orderBy(tenants.deletingAt)
    .limit(limit);
  return rows.flatMap(({ deletingAt, ...tenant }) =>
    deletingAt === null ? [] : { ...tenant, deletingAt },
  );
}
