import { instanceDestinationId, subscriptionDestinationId } from "../delivery/destination";
import { isWanted } from "../expressions/filter";
import { matchesEvent } from "../flows/triggers/match";
import type { Trigger } from "../flows/triggers/trigger";
import type { Envelope, Happened, Target } from "../stream/event";
import { flowSubscription } from "../subscriptions/flows";
import type { Happening } from "../subscriptions/ingest.io";
import type { Subscription } from "../subscriptions/subscription";
import { once } from "../values/cache";
import { numericId } from "../values/whole-number";
import type { Instance } from "./instance";

/** What endpoints choose an instance's events by. */
export const originOf = ({
  connector,
  tenant,
}: Pick<Instance, "connector" | "tenant">): Happening["origin"] => ({
  tenant: tenant?.id ?? null,
  connector: connector.key,
});

/** How many events go into one notification, and what its envelope says of them. */
export type Packing = { most: number } & Pick<
  Extract<Envelope, { format: "elements" }>,
  "polled" | "hops"
>;

/**
 * Who hears of an instance's events by what its configuration says: its callback, and the subscriptions of its topic.
 * `packingOf` is asked once for each object type. Its filter is asked once for each event.
 */
export function callbacks(
  instance: Instance,
  packingOf: (objectType: string) => Packing,
): Subscription[] {
  const { id, organizationId, configuration } = instance;
  const filter = configuration["event.notification.filter"] ?? undefined;
  const hears = once<ReturnType<Subscription["hears"]>, Happened>(async (event) =>
    (await isWanted(filter, event)) ? "yes" : "filtered",
  );
  const isSilent = (configuration["event.notification.callback.url"] ?? null) === null;
  const ids = [
    isSilent ? null : instanceDestinationId(id),
    ...subscribers(configuration).map((one) => subscriptionDestinationId(organizationId, one)),
  ];
  return ids.map((destinationId): Subscription => {
    const targetOf = once((type: string) => [
      instanceTarget(instance, destinationId, packingOf(type)),
    ]);
    return { kind: "callback", hears, targets: ({ objectType }) => targetOf(objectType) };
  });
}

/** The flows of an instance's user that listen to its events, among these. */
export const flowsOf = (
  { id, userId }: Pick<Instance, "id" | "userId">,
  triggers: readonly Trigger[],
): Subscription[] =>
  triggers
    .filter((trigger) => trigger.userId === userId && trigger.key === String(id))
    .map((trigger) => flowSubscription(trigger, "record", (event) => matchesEvent(trigger, event)));

/**
 * What a destination gets of an instance's events (null: they are kept): at most ten in one notification when polled, twenty
 * from a vendor's webhook (reference connector-events-api.md §8).
 */
export function instanceTarget(
  { id, name, connector, configuration }: Instance,
  destinationId: string | null,
  { most, ...details }: Packing,
): Target {
  const ordering = configuration["event.notification.ordering"];
  return {
    destinationId,
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
