import * as z from "zod";
import type { NotificationView } from "../../stream/history";
import { deliveryStatus } from "./view";

export const statusField = z
  .enum(
    ["pending", "sent", "retrying", "held", "delivered", "dead"],
    "Expected pending, sent, retrying, held, delivered or dead",
  )
  .optional();

/** What a list of deliveries is narrowed down by; an absent member lets all through. */
export type DeliveryFilter = EventFilter & {
  destinationId?: string | undefined;
  status?: z.infer<typeof statusField>;
  /** Epoch ms, both included. */
  from: number;
  to: number;
};

type EventFilter = {
  eventType?: string | undefined;
  objectType?: string | undefined;
  objectId?: string | undefined;
};

export function matchesFilter(
  { notification, events, isSent }: NotificationView,
  filter: DeliveryFilter,
): boolean {
  const { destinationId, status, from, to } = filter;
  return (
    notification.createdAt >= from &&
    notification.createdAt <= to &&
    (destinationId === undefined || notification.destinationId === destinationId) &&
    (status === undefined || deliveryStatus({ notification, isSent }) === status) &&
    holdsEvent(events, filter)
  );
}

/** Whether one of a delivery's events has the type, and one the object, that are looked for. */
export function holdsEvent(
  events: NotificationView["events"],
  { eventType, objectType, objectId }: EventFilter,
): boolean {
  return (
    (eventType === undefined || events.some((event) => event.eventType === eventType)) &&
    (objectType === undefined || events.some((event) => event.objectType === objectType)) &&
    (objectId === undefined || events.some((event) => event.objectId === objectId))
  );
}
