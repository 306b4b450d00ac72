import type { Context } from "hono";
import type { DestinationRecord } from "../../delivery/destination";
import { notFound } from "../../http/refusal";
import { destinationOfPath, withHealth } from "../../operations/destinations/lookup.io";
import type { Offers } from "../fields/controls";
import { offeredTypes } from "../fields/offers.io";
import type { Shown } from "./endpoints";
import { type PortalEnv, portalOf } from "./session.io";

/** The endpoint that the path's `:id` names. @throws Refusal `not-found` when the tenant has none of that id. */
export async function endpointOfPath(c: Context<PortalEnv>): Promise<DestinationRecord> {
  const record = await destinationOfPath(c);
  const { kind, id, tenant } = record.destination;
  if (kind !== "endpoint" || tenant !== portalOf(c).tenantId)
    throw notFound(`No destination '${id}'`);
  return record;
}

/** Endpoints as pages show them. */
export async function shownOf(
  c: Context<PortalEnv>,
  records: readonly DestinationRecord[],
): Promise<Shown[]> {
  const views = await withHealth(c, records);
  return records.flatMap(({ traits }, index) => {
    const view = views[index];
    const { description = null, selectors } = traits ?? {};
    const eventTypes = selectors?.eventTypes ?? [];
    return view === undefined ? [] : { view, description, eventTypes };
  });
}

/** What the form of an endpoint offers. */
export const offersOf = async (c: Context<PortalEnv>): Promise<Offers> => ({
  eventTypes: await offeredTypes(c.env.DB, portalOf(c).organizationId),
});
