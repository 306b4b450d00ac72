import { and, eq, inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { inboundRoutes } from "../db/instances";

/** One delivery is dealt out to this many instances at most. */
const MOST_INSTANCES = 500;

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
