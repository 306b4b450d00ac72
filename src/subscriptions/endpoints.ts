import type { KnownEndpoint } from "../delivery/endpoints.store";
import { isWanted } from "../expressions/filter";
import type { Happened, Target } from "../stream/event";
import { toldOf } from "../stream/endpoint-body";
import { eventTypeOf } from "../stream/event-type";
import { type About, selects } from "./selectors";
import type { Subscription } from "./subscription";

/** Where events happened, and whose they are; `channelsOf`: of a published event. */
export type Origin = Omit<About, "type" | "channels"> & {
  channelsOf?: (event: Happened) => readonly string[] | undefined;
};

/** An endpoint that was made by API hears of the events that its selectors name. */
export function endpointSubscription(
  { id, selectors, filter, ordering = "none", deadHead, batch, debounceMs }: KnownEndpoint,
  { channelsOf, ...origin }: Origin,
): Subscription {
  const target: Target = {
    destinationId: id,
    envelope: {
      format: "endpoint",
      tenant: origin.tenant,
      ...(batch === undefined ? {} : { isList: true }),
    },
    most: 1,
    ordering,
    ...(batch === undefined ? {} : { gather: { waitMs: batch.waitMs, most: batch.size } }),
    ...(debounceMs === undefined ? {} : { gather: { waitMs: debounceMs, isLatest: true } }),
    ...(deadHead === "block" ? { blocks: true } : {}),
  };
  return {
    kind: "endpoint",
    hears: async (event) => {
      const type = eventTypeOf(origin.source, event);
      if (!selects(selectors, { ...origin, type, channels: channelsOf?.(event) })) return "no";
      if (filter === undefined) return "yes";
      const told = toldOf(origin.source, event);
      // What lies in the bucket no filter sees: an event too many does less harm than one that is lost.
      if (told.payload !== undefined) return "yes";
      return (await isWanted(filter, { ...event, ...told })) ? "yes" : "filtered";
    },
    targets: () => [target],
  };
}
