import type { NotificationView } from "../../stream/history";
import type { Instance } from "../../instances/instance";
import { isoSeconds } from "../../values/instant";

/** The topic of an instance's events (reference connector-events-api.md §8). */
export const topicOf = ({ id, connector }: Pick<Instance, "id" | "connector">): string =>
  `instance-${id}-${connector.key}-events`;

/** The instance a topic names. */
export function instanceOfTopic(topic: string): number | undefined {
  const match = /^instance-([1-9]\d{0,15})-[\w-]+-events$/.exec(topic);
  return match === null ? undefined : Number(match[1]);
}

export type SubscriptionFields = {
  id: number;
  topics: readonly string[];
  url: string | null;
  active: boolean;
};

export const subscriptionView = ({
  id,
  topics,
  url,
  active,
}: SubscriptionFields): Record<string, unknown> => ({
  id,
  channel: "webhook",
  topics,
  config: { url },
  active,
});

/** A notification; its id is numeric, its message a text (reference connector-events-api.md §8). */
export function notificationView(
  instance: Instance,
  { id, notification }: NotificationView,
  body: string,
): Record<string, unknown> {
  return {
    id: Number(id),
    from: instance.connector.key,
    topic: topicOf(instance),
    severity: "low",
    message: body,
    createdDate: isoSeconds(notification.createdAt),
    active: notification.state.kind !== "delivered",
    acknowledged: notification.acknowledged === true,
  };
}

export type DeliveryStatus = "created" | "delivered" | "notified" | "retry" | "queued";

/**
 * A delivery's status as the contract names it: one whose retries are exhausted is `queued` until it is
 * released.
 */
export function deliveryStatusOf({ state }: NotificationView["notification"]): DeliveryStatus {
  switch (state.kind) {
    case "pending":
    case "waiting":
    case "kept":
      return "created";
    case "delivered":
      return "delivered";
    case "retrying":
    case "parked":
      return "retry";
    case "held":
      return "queued";
    case "dead":
      return state.reason === "exhausted" ? "queued" : "notified";
  }
}

export function deliveryView(
  notificationId: unknown,
  subscriptionId: number,
  view: NotificationView,
): Record<string, unknown> {
  const { createdAt, attempts } = view.notification;
  return {
    notificationId,
    subscriptionId,
    status: deliveryStatusOf(view.notification),
    createdDate: isoSeconds(createdAt),
    updatedDate: isoSeconds(attempts.at(-1)?.at ?? createdAt),
  };
}
