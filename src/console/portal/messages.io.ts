import type { Context } from "hono";
import { listDestinationRecords } from "../../delivery/destinations.store";
import { sourcesOfTenants } from "../../db/belongings";
import { ringOf } from "../../operations/destinations/lookup.io";
import type { DeliveryFilter } from "../../stream/delivery-filter";
import { publishedSource } from "../../publish/publication";
import { maskedUrl } from "../../values/secret-text";
import { findIn, findListed, isListed, type Page } from "../events/find.io";
import type { Found } from "../events/found";
import { isOfDeliveries } from "../events/search";
import { type PortalEnv, portalOf } from "./session.io";

/** Of a tenant with more sources those that come first are looked through. */
const MOST_STREAMS = 20;
/** As many endpoints can be chosen from. */
const MOST_CHOICES = 100;

/**
 * A page of what is the tenant's to see: what was published to it, and what else was sent to its endpoints. What others
 * hear of, as the organization itself may, is left out.
 */
export async function findMessages(
  c: Context<PortalEnv>,
  filter: DeliveryFilter,
  cursor: string | undefined,
): Promise<Page> {
  const { organizationId, tenantId } = portalOf(c);
  const own = new Set(c.var.asker.limits?.destinations);
  const { destinationId } = filter;
  if (destinationId !== undefined && !own.has(destinationId)) return { found: [], next: null };
  const sources = await sourcesOfTenants(c.env.DB, organizationId, [tenantId]);
  const page = isListed(filter)
    ? await findListed(c, filter, cursor)
    : await findIn(c, sources.slice(0, MOST_STREAMS), filter, cursor);
  const published = isOfDeliveries(filter) ? undefined : publishedSource(tenantId);
  const kept = { own, published, now: Date.now() };
  return { ...page, found: page.found.map((one) => visible(one, kept)) };
}

/**
 * What was found without what others hear. Lines of which nothing is left are kept only of what was published, once it
 * is told.
 */
function visible(
  found: Found,
  { own, published, now }: { own: ReadonlySet<string>; published: string | undefined; now: number },
): Found {
  const lines = found.lines.map((line) => ({
    ...line,
    outcomes: line.outcomes.filter(({ destinationId }) => own.has(destinationId ?? "")),
  }));
  return {
    ...found,
    lines: lines.filter(
      ({ outcomes, source, date }) => date <= now && (outcomes.length > 0 || source === published),
    ),
  };
}

/** What the tenant's endpoints are called, by their ids. */
export async function namesOfEndpoints(c: Context<PortalEnv>): Promise<Map<string, string>> {
  const { organizationId, tenantId } = portalOf(c);
  const records = await listDestinationRecords(c.env.DB, ringOf(c), organizationId, {
    kind: "endpoint",
    tenant: tenantId,
    after: null,
    limit: MOST_CHOICES,
  });
  return new Map(
    records.map(({ destination: { id, url }, traits }) => [
      id,
      traits?.description ?? maskedUrl(url) ?? id,
    ]),
  );
}
