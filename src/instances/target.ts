import { instanceDestinationId, subscriptionDestinationId } from "../delivery/destination";
import type { Envelope, Target } from "../stream/event";
import { numericId } from "../values/whole-number";
import type { Instance } from "./instance";

/**
 * Where an instance's events go, and how many go into one notification: at most ten when polled, twenty from a
 * vendor's webhook (reference connector-events-api.md §8).
 */
export function instanceTarget(
  { id, organizationId, name, connector, configuration }: Instance,
  packing: { most: number } & Pick<Extract<Envelope, { format: "elements" }>, "polled" | "hops">,
): Target {
  const { most, ...details } = packing;
  const ordering = configuration["event.notification.ordering"];
  const others = subscribers(configuration);
  return {
    destinationId:
      (configuration["event.notification.callback.url"] ?? null) === null
        ? null
        : instanceDestinationId(id),
    ...(others.length === 0
      ? {}
      : { also: others.map((one) => subscriptionDestinationId(organizationId, one)) }),
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

const SUBSCRIBERS = "event.notification.subscription.id";
/** The most subscriptions of one instance's topic, beside its callback. */
export const MOST_SUBSCRIBERS = 20;

/** The numbers of the subscriptions that get an instance's events beside its own callback. */
export const subscribers = (configuration: Instance["configuration"]): number[] =>
  (configuration[SUBSCRIBERS] ?? "")
    .split(",")
    .flatMap((text) => numericId(text.trim()) ?? [])
    .slice(0, MOST_SUBSCRIBERS);

/** The configuration with other subscriptions. */
export const withSubscribers = (
  configuration: Instance["configuration"],
  numbers: readonly number[],
): Instance["configuration"] => ({
  ...configuration,
  [SUBSCRIBERS]: numbers.length === 0 ? null : numbers.join(),
});
