import { instanceDestinationId } from "../delivery/destination";
import type { Envelope, Target } from "../stream/event";
import type { Instance } from "./instance";

/**
 * Where an instance's events go, and how many go into one notification: at most ten when polled, twenty from a
 * vendor's webhook (reference connector-events-api.md §8).
 */
export function instanceTarget(
  { id, name, connector, configuration }: Instance,
  packing: { most: number } & Pick<Extract<Envelope, { format: "elements" }>, "polled" | "hops">,
): Target {
  const { most, ...details } = packing;
  const ordering = configuration["event.notification.ordering"];
  return {
    destinationId:
      (configuration["event.notification.callback.url"] ?? null) === null
        ? null
        : instanceDestinationId(id),
    envelope: {
      format: "elements",
      elementKey: connector.key,
      hubKey: connector.hub,
      instanceId: id,
      instanceName: name,
      ...details,
    },
    most,
    ordering: ordering === "object" || ordering === "source" ? ordering : "none",
    ...(configuration["event.notification.ordering.dead"] === "block" ? { blocks: true } : {}),
  };
}
