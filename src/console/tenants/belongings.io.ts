import type { Context } from "hono";
import type { Tenant } from "../../accounts/tenants/tenant";
import { withTenants } from "../../accounts/tenants/reached.io";
import { listEndUsers } from "../../accounts/users/admin.store";
import { countBelongings, destinationsOfTenants } from "../../db/belongings";
import { instancesOfTenant } from "../../instances/names.store";
import type { Counts } from "../../metering/count";
import { writeCounts } from "../../metering/counter.io";
import { usageBySource } from "../../metering/store";
import { costUsd } from "../../operations/usage/cost";
import { sum } from "../../operations/usage/summary";
import { reachOf } from "../../operations/reach";
import { addressOf } from "../destinations/back";
import { namesOfDestinations } from "../names.io";
import type { ConsoleEnv } from "../session/session.io";

/** So many of each kind are shown. */
const MOST = 25;
const MONTH_MS = 30 * 86_400_000;

/** Something that belongs to a tenant, by its name, and where its page is. */
export type Named = { name: string; href: string };
export type Belongings = {
  counts: { instances: number; users: number; destinations: number };
  instances: Named[];
  users: Named[];
  destinations: Named[];
  /** Of the last 30 days. */
  usage: Pick<Counts, "events" | "delivered" | "failed"> & { costUsd: number };
};

/** What belongs to a tenant, the first of each kind, and what it came to. */
export async function belongingsOf(c: Context<ConsoleEnv>, { id }: Tenant): Promise<Belongings> {
  const { organizationId } = c.var.asker;
  const { DB: db } = c.env;
  const now = Date.now();
  await writeCounts(db, now);
  const limits = { sources: [], destinations: [], tenants: [id] };
  const of = reachOf({ limits: await withTenants(db, organizationId, limits) });
  const [counts, instances, users, ids, usage] = await Promise.all([
    countBelongings(db, organizationId, id),
    instancesOfTenant(db, organizationId, id, MOST),
    listEndUsers(db, organizationId, { after: 0, limit: MOST, tenant: id }),
    destinationsOfTenants(db, organizationId, [id]),
    usageBySource(db, { organizationId, from: now - MONTH_MS, to: now, of }),
  ]);
  const destinations = await namesOfDestinations(c, ids.slice(0, MOST));
  const total = sum(usage);
  return {
    counts: { ...counts, destinations: ids.length },
    instances: instances.map((one) => ({ name: one.name, href: `/console/instances/${one.id}` })),
    users: users.map((one) => ({
      name: one.username ?? one.email,
      href: `/console/apps/users/${one.id}`,
    })),
    destinations: [...destinations].map(([one, name]) => ({ name, href: addressOf(one) })),
    usage: {
      events: total.events,
      delivered: total.delivered,
      failed: total.failed,
      costUsd: costUsd(total),
    },
  };
}
