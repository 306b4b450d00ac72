import { eq, gt, isNotNull, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { organizations } from "../../db/accounts";
import { tellDirectory } from "../../db/directory/tell";
import { forgetOrganization } from "../known.store";
import { forgetAskers } from "../store";
import { forgetUsers } from "../users/store";

/** `deletingAt`: since when it is closed, and what is in it being deleted. */
export type OrganizationState = {
  id: number;
  name: string;
  createdAt: number;
  deletingAt: number | null;
};

const state = {
  id: organizations.id,
  name: organizations.name,
  createdAt: organizations.createdAt,
  deletingAt: organizations.deletingAt,
};

/** In the order of their ids, from after `after`. */
export async function listOrganizations(
  db: D1Database,
  page: { after: number; limit: number },
): Promise<OrganizationState[]> {
  return drizzle(db)
    .select(state)
    .from(organizations)
    .where(gt(organizations.id, page.after))
    .orderBy(organizations.id)
    .limit(page.limit);
}

/** The organization of whoever operates the deployment: the first that was made and isn't being deleted. */
export async function operatorsOrganization(db: D1Database): Promise<number | undefined> {
  const [row] = await drizzle(db)
    .select({ id: organizations.id })
    .from(organizations)
    .where(isNull(organizations.deletingAt))
    .orderBy(organizations.id)
    .limit(1);
  return row?.id;
}

export async function readOrganizationState(
  db: D1Database,
  id: number,
): Promise<OrganizationState | undefined> {
  const [row] = await drizzle(db).select(state).from(organizations).where(eq(organizations.id, id));
  return row;
}

/**
 * Closes an organization, at once in this isolate and within five seconds in all others; the minutely job
 * (`operations/erasure`) deletes what is in it. Asked again it changes nothing.
 * @returns undefined for an unknown one.
 */
export async function beginDeletion(
  db: D1Database,
  id: number,
  now: number,
): Promise<OrganizationState | undefined> {
  const [row] = await drizzle(db)
    .update(organizations)
    .set({ deletingAt: sql`coalesce(${organizations.deletingAt}, ${now})` })
    .where(eq(organizations.id, id))
    .returning(state);
  await tellDirectory(db, `organization:${id}`);
  forgetAskers();
  forgetUsers();
  forgetOrganization(id);
  return row;
}

/** Organizations whose deletion is under way, the longest first. */
export async function organizationsToDelete(
  db: D1Database,
  limit: number,
): Promise<{ id: number; deletingAt: number }[]> {
  const rows = await drizzle(db)
    .select({ id: organizations.id, deletingAt: organizations.deletingAt })
    .from(organizations)
    .where(isNotNull(organizations.deletingAt))
    .orderBy(organizations.deletingAt)
    .limit(limit);
  return rows.flatMap(({ id, deletingAt }) => (deletingAt === null ? [] : { id, deletingAt }));
}
