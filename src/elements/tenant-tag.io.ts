import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { requireTenant } from "../accounts/tenants/required.io";
import { type TenantTerms, termsOf } from "../accounts/tenants/tenant";
import { invalid } from "../http/refusal";
import { tenantsIn } from "../instances/tenant-tag";
import { quoted } from "../values/text";

/**
 * The tenant that an instance with these tags belongs to; null: none. @throws Refusal `invalid` for tags that name several,
 * or one that the organization hasn't.
 */
export async function tenantOfTags(
  c: Context<AskerEnv>,
  tags: readonly string[],
): Promise<TenantTerms | null> {
  const [id, other] = tenantsIn(tags);
  if (id === undefined) return null;
  if (other !== undefined)
    throw invalid(
      `tags: An instance belongs to one tenant, and these name '${quoted(id)}' and '${quoted(other)}'`,
      "tags",
    );
  return termsOf(await requireTenant(c.env.DB, c.var.asker.organizationId, id, "tags"));
}
