import type { KnownEndpoint } from "../delivery/endpoints.store";
import { isWanted } from "../expressions/filter";
import type { Happened, Target } from "../stream/event";
import { toldOf } from "../stream/endpoint-body";
import { eventTypeOf } from "../stream/event-type";
import { type About, selects } from "./selectors";
import type { Hearing, Subscription } from "./subscription";
import { once } from "../values/cache";

/** Where events happened, and whose they are; `channelsOf`: of a published event. */
export type Origin = Omit<About, "type" | "channels"> & {
  channelsOf?: (event: Happened) => readonly string[] | undefined;
};

/** Endpoints that were made by API: each hears of the events that its selectors name. */
export function endpointSubscriptions(
  endpoints: readonly KnownEndpoint[],
  { channelsOf, ...origin }: Origin,
): Subscription[] {
  const aboutOf = once<About, Happened>((event) => ({
    ...origin,
    type: eventTypeOf(origin.source, event),
    channels: channelsOf?.(event),
  }));
  return endpoints.map((endpoint): Subscription => {
    let target: Target | undefined;
    return {
      kind: "endpoint",
      hears: (event) => {
        if (!selects(endpoint.selectors, aboutOf(event))) return "no";
        return endpoint.filter === undefined
          ? "yes"
          : hearsFiltered(endpoint.filter, origin.source, event);
      },
      targets: () => [(target ??= targetOf(endpoint, origin.tenant))],
    };
  });
}

async function hearsFiltered(filter: string, source: string, event: Happened): Promise<Hearing> {
  const told = toldOf(source, event);
  // What lies in the bucket no filter sees: an event too many does less harm than one that is lost.
  if (told.payload !== undefined) return "yes";
  return (await isWanted(filter, { ...event, ...told })) ? "yes" : "filtered";
}

const targetOf = (
  { id, ordering = "none", deadHead, batch, debounceMs }: KnownEndpoint,
  tenant: string | null,
): Target => ({
  destinationId: id,
  envelope: { format: "endpoint", tenant, ...(batch === undefined ? {} : { isList: true }) },
  most: 1,
  ordering,
  ...(batch === undefined ? {} : { gather: { waitMs: batch.waitMs, most: batch.size } }),
  ...(debounceMs === undefined ? {} : { gather: { waitMs: debounceMs, isLatest: true } }),
  ...(deadHead === "block" ? { blocks: true } : {}),
});
