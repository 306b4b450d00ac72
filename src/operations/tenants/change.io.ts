import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { unknownTenant } from "../../accounts/tenants/lookup.io";
import { changeTenant } from "../../accounts/tenants/store";
import type { Tenant, TenantChange } from "../../accounts/tenants/tenant";
import { forgetDestinations } from "../../delivery/destinations.store";
import { heldDestinations } from "../../delivery/exceptions.store";
import { settledAtOnce } from "../../values/at-once";
import { startRecovery } from "../destinations/recovery.io";

/** Destinations for which jobs are started at the same time. */
const AT_ONCE = 10;

/**
 * Changes a tenant. One that is switched on gets what was held for it while it was off. @throws Refusal `not-found` when
 * it is gone.
 */
export async function saveTenant(
  c: Context<AskerEnv>,
  id: string,
  change: TenantChange,
): Promise<Tenant> {
  const { organizationId } = c.var.asker;
  const changed = await changeTenant(c.env.DB, organizationId, id, change, Date.now());
  if (changed === undefined) throw unknownTenant(id);
  forgetDestinations();
  if (change.disabled === false) await release(c, id);
  return changed;
}

/** Lets go what is held for a tenant's destinations. @throws what a job's start throws, after the others. */
async function release(c: Context<AskerEnv>, id: string): Promise<void> {
  const held = await heldDestinations(c.env.DB, c.var.asker.organizationId, id);
  const settled = await settledAtOnce(held, AT_ONCE, (destinationId) =>
    startRecovery(c, destinationId, { kind: "release", from: 0 }),
  );
  const failed = settled.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
