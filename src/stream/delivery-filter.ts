import * as z from "zod";
import type { Notification } from "./event";
import { says } from "./filter";
import type { NotificationView, ShownEvent } from "./history";

const STATUSES = ["pending", "sent", "retrying", "held", "delivered", "dead"] as const;
export type DeliveryStatus = (typeof STATUSES)[number];

export const statusField = z
  .enum(STATUSES, "Expected pending, sent, retrying, held, delivered or dead")
  .optional();

/** The status of a notification, in the words of `/v1` (reference v1-api.md). */
export function deliveryStatus({
  notification: { state, tries },
  isSent,
}: Pick<NotificationView, "notification" | "isSent">): DeliveryStatus {
  const unsent = isSent ? "sent" : "pending";
  switch (state.kind) {
    case "pending":
      return unsent;
    case "waiting":
      return "pending";
    case "parked":
      return tries > 0 ? "retrying" : unsent;
    case "kept":
    case "held":
      return "held";
    case "retrying":
    case "delivered":
    case "dead":
      return state.kind;
  }
}

/** Which notifications a reader wants; an absent member lets all through. `from` and `to`: when made, both included. */
export const deliveryFilter = z.object({
  destinationId: z.string().optional(),
  flowId: z.string().optional(),
  eventType: z.string().optional(),
  objectType: z.string().optional(),
  objectId: z.string().optional(),
  /** Somewhere in the data of one of its events. */
  text: z.string().optional(),
  /** The text is looked for in this member of the data alone. */
  member: z.string().optional(),
  status: statusField,
  from: z.number().optional(),
  to: z.number().optional(),
});
export type DeliveryFilter = z.infer<typeof deliveryFilter>;

/** Whether a notification is wanted, as far as it tells without its events. */
export function mayFit(
  filter: DeliveryFilter,
  notification: Notification,
  isSent: () => boolean,
): boolean {
  const { destinationId, flowId, status, from = 0, to = Number.MAX_SAFE_INTEGER } = filter;
  const { createdAt, envelope } = notification;
  return (
    createdAt >= from &&
    createdAt <= to &&
    (destinationId === undefined || notification.destinationId === destinationId) &&
    (flowId === undefined || (envelope.format === "flow-step" && envelope.flowId === flowId)) &&
    (status === undefined || deliveryStatus({ notification, isSent: isSent() }) === status)
  );
}

/** Whether one of a notification's events has the type, one the object, and one the text, that are looked for. */
export function holdsEvent(
  events: readonly Pick<ShownEvent, "eventType" | "objectType" | "objectId" | "data">[],
  { eventType, objectType, objectId, text, member }: DeliveryFilter,
): boolean {
  return (
    (eventType === undefined || events.some((event) => event.eventType === eventType)) &&
    (objectType === undefined || events.some((event) => event.objectType === objectType)) &&
    (objectId === undefined || events.some((event) => event.objectId === objectId)) &&
    (text === undefined ||
      text === "" ||
      events.some(({ data }) => says(data ?? "", { text, member })))
  );
}
