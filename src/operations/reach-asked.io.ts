import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { findTenant } from "../accounts/tenants/known.store";
import { unknownTenant } from "../accounts/tenants/lookup.io";
import { withTenants } from "../accounts/tenants/reached.io";
import { type Reach, reachOf } from "./reach";

/** The query parameter that narrows a list down to what belongs to a tenant. */
export const OF_TENANT = { tenant: "Of what belongs to this tenant now" } as const;

/**
 * What a list is made of: all that the asker reaches, or of that what belongs to the tenant that the query names.
 * @throws Refusal `not-found` for a tenant that there isn't, or that is beyond the key's limits.
 */
export async function reachAsked(c: Context<AskerEnv>): Promise<Reach> {
  const { asker } = c.var;
  const id = c.req.query("tenant");
  if (id === undefined) return reachOf(asker);
  const { organizationId, limits } = asker;
  const isReached = limits === undefined || limits.tenants.includes(id);
  if (!isReached || (await findTenant(c.env.DB, organizationId, id)) === undefined)
    throw unknownTenant(id);
  const ofTenant = { sources: [], destinations: [], tenants: [id] };
  return reachOf({ limits: await withTenants(c.env.DB, organizationId, ofTenant) });
}
