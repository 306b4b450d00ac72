import { and, desc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { instances } from "../db/instances";
import { within } from "../db/within";

/** What instances are called, and nothing else of them: no secret is opened for that. */

type Name = { id: number; name: string };
const columns = { id: instances.id, name: instances.name };

/** The names of an organization's instances; those that it hasn't are absent. */
export async function instanceNames(
  db: D1Database,
  organizationId: number,
  ids: readonly number[],
): Promise<Name[]> {
  if (ids.length === 0) return [];
  return drizzle(db)
    .select(columns)
    .from(instances)
    .where(and(eq(instances.organizationId, organizationId), within(instances.id, ids)));
}

/** The first instances of a tenant, by their ids. */
export const instancesOfTenant = async (
  db: D1Database,
  organizationId: number,
  tenant: string,
  limit: number,
): Promise<Name[]> =>
  drizzle(db)
    .select(columns)
    .from(instances)
    .where(and(eq(instances.organizationId, organizationId), eq(instances.tenantId, tenant)))
    .orderBy(instances.id)
    .limit(limit);

/** The instances that an organization made last, the newest first. */
export const newestInstances = async (
  db: D1Database,
  organizationId: number,
  limit: number,
): Promise<Name[]> =>
  drizzle(db)
    .select(columns)
    .from(instances)
    .where(eq(instances.organizationId, organizationId))
    .orderBy(desc(instances.id))
    .limit(limit);
