import { destinationsOfTenants, sourcesOfTenants } from "../../db/belongings";
import type { Limits } from "../scope";

/** Limits that name what belongs to their tenants now, beside what they name themselves. */
export async function withTenants(
  db: D1Database,
  organizationId: number,
  limits: Limits,
): Promise<Limits> {
  if (limits.tenants.length === 0) return limits;
  const [sources, destinations] = await Promise.all([
    sourcesOfTenants(db, organizationId, limits.tenants),
    destinationsOfTenants(db, organizationId, limits.tenants),
  ]);
  return {
    ...limits,
    sources: [...limits.sources, ...sources],
    destinations: [...limits.destinations, ...destinations],
  };
}
