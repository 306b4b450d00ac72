import type { Context } from "hono";
import { listTenants } from "../../accounts/tenants/store";
import { pageOfTypes } from "../../event-types/list.io";
import type { ConsoleEnv } from "../session/session.io";
import type { Offers } from "./controls";

/** So many of each kind are offered. */
const OFFERED = 100;

/** The names of the first event types that an organization describes. */
export async function offeredTypes(db: D1Database, organizationId: number): Promise<string[]> {
  const wanted = { after: "", search: "", builtIn: false, limit: OFFERED };
  const { items } = await pageOfTypes(db, organizationId, [], wanted);
  return items.map(({ name }) => name);
}

/** What forms of the console offer for event types and tenants. */
export async function offersOf(c: Context<ConsoleEnv>): Promise<Offers> {
  const { organizationId } = c.var.asker;
  const [types, tenants] = await Promise.all([
    offeredTypes(c.env.DB, organizationId),
    listTenants(c.env.DB, organizationId, { after: "", limit: OFFERED }),
  ]);
  return { type: types, eventTypes: types, tenant: tenants.map(({ id }) => id) };
}
