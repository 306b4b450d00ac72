import { and, isNull, type SQL, sql, type SQLWrapper } from "drizzle-orm";
import { organizations, users } from "../db/accounts";
import { findOrganizations } from "./known.store";

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

/** Those of these organizations that are there and not being deleted, as of at most five seconds ago. */
export async function openOrganizations(
  db: D1Database,
  ids: readonly number[],
  now: number,
): Promise<Set<number>> {
  const found = await findOrganizations(db, ids, now);
  return new Set([...found].flatMap(([id, { isOpen: isThere }]) => (isThere ? id : [])));
}

/** For queries of users beside their organization: both are there. */
export const isThere = (): SQL | undefined =>
  and(
    isNull(users.deletingAt),
    sql`EXISTS (SELECT 1 FROM organizations AS o WHERE o.id = ${users.organizationId} AND o.deleting_at IS NULL)`,
  );
