import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import {
  type Destination,
  instanceDestinationId,
  subscriptionOf,
} from "../../delivery/destination";
import { readDestination } from "../../delivery/destinations.store";
import type { Instance } from "../../instances/instance";
import type { NotificationView } from "../../stream/history";
import { doorsOf } from "../../instances/lookup.io";
import { type Delivery, deliveriesOf, type Found, shownNotification } from "./found.io";
import { isKeptCopy } from "./published";
import { viewsOf } from "./published.io";
import { findSubscription } from "./subscribers.io";
import { deliveryView, subscriptionView, topicOf } from "./view";

/** A delivery as the contract prints it; `isWhole`: with the notification and the subscription. */
export async function shownDelivery(
  c: Context<AskerEnv>,
  delivery: Delivery,
  isWhole: boolean,
): Promise<Record<string, unknown>> {
  const named = await namedOf(delivery);
  const { id, ...rest } = await shownNotification(named);
  const shown = deliveryView(id, delivery.subscriptionId, delivery.view);
  if (!isWhole) return shown;
  const subscription = await shownSubscription(c, delivery);
  return { ...shown, notification: { id, ...rest }, subscription };
}

/** All subscribers of a topic have one notification, which is the instance's own or the copy that stays. */
async function namedOf({ instance, view, stub }: Delivery): Promise<Found> {
  const isNamed = (one: NotificationView) =>
    isKeptCopy(one) ||
    (instance !== undefined &&
      one.notification.envelope.format !== "flow-step" &&
      subscriptionOf(one.notification.destinationId ?? "") === undefined);
  if (isNamed(view)) return { instance, view, stub };
  const others = await viewsOf(stub, view.events[0]?.notifications ?? []);
  return { instance, view: others.find(isNamed) ?? view, stub };
}

async function shownSubscription(
  c: Context<AskerEnv>,
  { instance, subscriptionId }: Delivery,
): Promise<Record<string, unknown> | null> {
  if (instance?.id === subscriptionId) return instanceSubscription(c, instance);
  const found = await findSubscription(c, subscriptionId);
  return found === undefined ? null : topicSubscription(found);
}

/** An instance's callback as a subscription; its id is the instance's. */
export async function instanceSubscription(
  c: Context<AskerEnv>,
  instance: Instance,
): Promise<Record<string, unknown>> {
  const { db, ring } = doorsOf(c);
  const { organizationId, id, configuration } = instance;
  const destination = await readDestination(db, ring, organizationId, instanceDestinationId(id));
  const url = configuration["event.notification.callback.url"] ?? null;
  return subscriptionView({ id, topics: [topicOf(instance)], url, active: isActive(destination) });
}

/** A subscription to topics, as the contract prints it. */
export const topicSubscription = ({
  number,
  destination,
}: {
  number: number;
  destination: Destination;
}): Record<string, unknown> =>
  subscriptionView({
    id: number,
    topics: destination.policy.topics ?? [],
    url: destination.url,
    active: isActive(destination),
  });

const isActive = (destination: Destination | undefined): boolean =>
  destination !== undefined && destination.enabled && destination.active;

/** The deliveries of the notification that a path names. */
export const allDeliveries = async (
  c: Context<AskerEnv>,
  found: Found,
  isWhole: boolean,
): Promise<Record<string, unknown>[]> =>
  Promise.all((await deliveriesOf(found)).map((one) => shownDelivery(c, one, isWhole)));
