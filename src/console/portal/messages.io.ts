import type { Context } from "hono";
import { listDestinationRecords } from "../../delivery/destinations.store";
import { sourcesOfTenants } from "../../db/belongings";
import { ringOf } from "../../operations/destinations/lookup.io";
import type { DeliveryFilter } from "../../stream/delivery-filter";
import { publishedSource } from "../../publish/publication";
import { maskedUrl } from "../../values/secret-text";
import { findIn, findListed, isListed, type Page } from "../events/find.io";
import type { Found, Line } from "../events/found";
import { isOfDeliveries } from "../events/search";
import { type PortalEnv, portalOf } from "./session.io";

/** Of a tenant with more sources those that come first are looked through. */
const MOST_STREAMS = 20;
/** As many endpoints can be chosen from. */
const MOST_CHOICES = 100;

/** The data of what is published, which alone is shown as a whole. */
const SHOWN = "data";

/**
 * A page of what is the tenant's to see: what was published to it, and what else was sent to its endpoints. What others
 * hear of, as the organization itself may, is left out. A text is looked for in nothing but what a page shows of what was
 * published: of all else an endpoint may be told a part.
 */
export async function findMessages(
  c: Context<PortalEnv>,
  asked: DeliveryFilter,
  cursor: string | undefined,
): Promise<Page> {
  const { organizationId, tenantId } = portalOf(c);
  const own = new Set(c.var.asker.limits?.destinations);
  const { destinationId, text } = asked;
  if (destinationId !== undefined && !own.has(destinationId)) return { found: [], next: null };
  const published = publishedSource(tenantId);
  const filter = text === undefined ? asked : { ...asked, member: SHOWN };
  const sources =
    text === undefined ? await sourcesOfTenants(c.env.DB, organizationId, [tenantId]) : [published];
  const page = isListed(filter)
    ? await findListed(c, filter, cursor)
    : await findIn(c, sources.slice(0, MOST_STREAMS), filter, cursor);
  const isShown = ({ date, source, outcomes }: Line): boolean => {
    if (date > Date.now() || (text !== undefined && source !== published)) return false;
    return outcomes.length > 0 || (source === published && !isOfDeliveries(filter));
  };
  return {
    ...page,
    found: page.found.map((one) => ({ ...one, lines: visible(one, own).filter(isShown) })),
  };
}

/** What was found, without what others hear of it. */
const visible = ({ lines }: Found, own: ReadonlySet<string>): Line[] =>
  lines.map((line) => ({
    ...line,
    outcomes: line.outcomes.filter(({ destinationId }) => own.has(destinationId ?? "")),
  }));

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
