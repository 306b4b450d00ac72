import { invalid } from "../../http/refusal";
import { findTenant } from "./known.store";
import type { Tenant } from "./tenant";

/** The tenant that something is to belong to. @throws Refusal `invalid` naming `field` when the organization hasn't it. */
export async function requireTenant(
  db: D1Database,
  organizationId: number,
  id: string,
  field = "tenant",
): Promise<Tenant> {
  const tenant = await findTenant(db, organizationId, id);
  if (tenant !== undefined) return tenant;
  const message = `${field}: There is no tenant '${id.slice(0, 100)}': POST /v1/tenants makes one`;
  throw invalid(message, field);
}
