import { and, desc, eq, gte, lte, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { audit } from "../db/accounts";
import { owners } from "../db/owners";
import { within } from "../db/within";

export type AuditRow = typeof audit.$inferSelect;

/** Writes one entry of the audit log: the names of what was sent, and what differs, secrets masked. */
export async function recordAudit(
  db: D1Database,
  row: Omit<AuditRow, "id" | "tenantId"> & { tenantId?: string | null },
): Promise<void> {
  await drizzle(db).insert(audit).values(row);
}

/** Newest first, from below `before`. */
export async function listAudit(
  db: D1Database,
  organizationId: number,
  filter: {
    actor: string | undefined;
    action: string | undefined;
    from: number | undefined;
    to: number | undefined;
    /** Absent: entries of all, and of none. */
    tenants?: readonly string[] | undefined;
  },
  page: { before: number | null; limit: number },
): Promise<AuditRow[]> {
  return drizzle(db)
    .select()
    .from(audit)
    .where(
      and(
        eq(audit.organizationId, organizationId),
        filter.actor === undefined ? undefined : eq(audit.actor, filter.actor),
        filter.action === undefined ? undefined : eq(audit.action, filter.action),
        filter.tenants && within(audit.tenantId, filter.tenants),
        filter.from === undefined ? undefined : gte(audit.at, filter.from),
        filter.to === undefined ? undefined : lte(audit.at, filter.to),
        page.before === null ? undefined : isBefore(page.before),
      ),
    )
    .orderBy(desc(audit.at), desc(audit.id))
    .limit(page.limit);
}

/** Entries before one, in the order of the indexes: by instant, then by id. */
const isBefore = (id: number): SQL =>
  sql`(${audit.at}, ${audit.id}) < (SELECT a.at, a.id FROM audit AS a WHERE a.id = ${id})`;

/** How many days an organization's entries are kept when it doesn't say. */
export const DEFAULT_AUDIT_DAYS = 400;

/** The statement that deletes entries that are older than their organization keeps them, at most `limit`. */
export const prepareAuditExpiry = (
  db: D1Database,
  now: number,
  limit: number,
): D1PreparedStatement =>
  db
    .prepare(
      `${owners("audit")},
         kept(id, days) AS (SELECT id, coalesce(
           (SELECT o.settings ->> '$.auditDays' FROM organizations AS o WHERE o.id = owners.id), ${DEFAULT_AUDIT_DAYS}) FROM owners)
       DELETE FROM audit WHERE id IN (
         SELECT a.id FROM kept CROSS JOIN audit AS a
           ON a.organization_id = kept.id AND a.at < ?1 - kept.days * 86400000 LIMIT ?2)`,
    )
    .bind(now, limit);
