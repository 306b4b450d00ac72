import type { Context } from "hono";
import { type Refusal, notFound } from "../../http/refusal";
import type { AskerEnv } from "../asker.io";
import { watchChange } from "../watch.io";
import { readTenant } from "./store";
import type { Tenant } from "./tenant";

/** The tenant that the path's `:id` names. @throws Refusal `not-found` when there is none that the asker reaches. */
export async function tenantOfPath(c: Context<AskerEnv>): Promise<Tenant> {
  const id = c.req.param("id") ?? "";
  const { organizationId, limits } = c.var.asker;
  const isReached = limits === undefined || limits.tenants.includes(id);
  const tenant = isReached ? await readTenant(c.env.DB, organizationId, id) : undefined;
  if (tenant === undefined) throw unknownTenant(id);
  watchTenant(c, tenant);
  return tenant;
}

/** Tells the audit log that a request may change a tenant. @param isNew it was just made. */
export function watchTenant(c: Context<AskerEnv>, tenant: Tenant, isNew = false): void {
  const { organizationId } = c.var.asker;
  watchChange(
    c,
    () => (isNew ? {} : { ...tenant }),
    async () => readTenant(c.env.DB, organizationId, tenant.id),
    tenant.id,
  );
}

export const unknownTenant = (id: string): Refusal => notFound(`No tenant '${id.slice(0, 100)}'`);
