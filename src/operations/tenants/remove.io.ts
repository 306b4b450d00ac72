import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { unknownTenant } from "../../accounts/tenants/lookup.io";
import { beginTenantDeletion } from "../../accounts/tenants/store";
import type { Tenant } from "../../accounts/tenants/tenant";
import { forgetDestinations } from "../../delivery/destinations.store";
import { conflict } from "../../http/refusal";
import { erase } from "../erasure/erase.io";

/** What is deleted before the answer; the rest follows within minutes. */
const AT_ONCE = { rows: 1_000, objects: 20 };

/**
 * Deletes a tenant, which is gone for everybody at once. What belongs to it gets and tells nothing from now on, while its
 * rows and streams are being deleted.
 * @param withAll Whether what belongs to it goes with it.
 * @returns it as it was. @throws Refusal `conflict` while something belongs to it that isn't to go with it, `not-found`.
 */
export async function removeTenant(
  c: Context<AskerEnv>,
  id: string,
  withAll: boolean,
): Promise<Tenant> {
  const { organizationId } = c.var.asker;
  const how = { withAll, now: Date.now() };
  const done = await beginTenantDeletion(c.env.DB, organizationId, id, how);
  switch (done.kind) {
    case "unknown":
      throw unknownTenant(id);
    case "holds": {
      const held = Object.entries(done.counts).flatMap(([kind, n]) =>
        n > 0 ? `${kind} (${n})` : [],
      );
      throw conflict(
        `The tenant has ${held.join(", ")}: delete these first, or all of it with ?cascade=true`,
      );
    }
    case "begun": {
      forgetDestinations();
      const { DB, EVENT_STREAMS, ENDPOINTS, VENDOR_BUDGETS } = c.env;
      const doors = {
        db: DB,
        streams: EVENT_STREAMS,
        endpoints: ENDPOINTS,
        budgets: VENDOR_BUDGETS,
      };
      // Of one that had nothing nobody can be about to write something: its id is free again.
      await erase({ kind: "tenant", id, organizationId }, doors, { ...AT_ONCE }, done.isEmpty);
      return done.tenant;
    }
  }
}
