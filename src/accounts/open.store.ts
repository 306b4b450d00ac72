import { and, isNull, type SQL, sql, type SQLWrapper } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { organizations, users } from "../db/accounts";
import { Cache } from "../values/cache";

/**
 * Whether an organization, or an end user, may still do anything. Whoever asks to delete an organization closes all
 * its doors with that: queries of who is asking look at `deletingAt`, and what comes by queue or schedule asks here.
 */

/** For joins with `organizations`. */
export const isOpen: SQL = isNull(organizations.deletingAt);

/** SQL that is true while an organization is there; `id` names it in the query. */
export const isOpenOrganization = (id: SQLWrapper): SQL<boolean> =>
  sql`EXISTS (SELECT 1 FROM organizations AS o WHERE o.id = ${id} AND o.deleting_at IS NULL)`.mapWith(
    Boolean,
  );

/** The text of SQL that is true while a user is active, and their organization there; `id` is a column. */
export const activeUser = (id: string): string =>
  `EXISTS (SELECT 1 FROM users AS u JOIN organizations AS o ON o.id = u.organization_id
    WHERE u.id = ${id} AND u.is_active AND u.deleting_at IS NULL AND o.deleting_at IS NULL)`;

/** How long an organization that was there is believed to be there. */
const TRUST_MS = 5_000;
const open = new Cache<number, true>(10_000);

/** Those of these organizations that are there and not being deleted. */
export async function openOrganizations(
  db: D1Database,
  ids: readonly number[],
  now: number,
): Promise<Set<number>> {
  const unknown = [...new Set(ids)].filter((id) => open.get(id, now) === undefined);
  if (unknown.length > 0) {
    const rows = await drizzle(db)
      .select({ id: organizations.id })
      .from(organizations)
      .where(
        and(
          isOpen,
          sql`${organizations.id} IN (SELECT value FROM json_each(${JSON.stringify(unknown)}))`,
        ),
      );
    for (const { id } of rows) open.set(id, true, now + TRUST_MS);
  }
  return new Set(ids.filter((id) => open.get(id, now) !== undefined));
}

/** This isolate asks anew about an organization. */
export const forgetOpen = (id: number): void => {
  open.delete(id);
};

/** For queries of users beside their organization: both are there. */
export const isThere = (): SQL | undefined =>
  and(
    isNull(users.deletingAt),
    sql`EXISTS (SELECT 1 FROM organizations AS o WHERE o.id = ${users.organizationId} AND o.deleting_at IS NULL)`,
  );
