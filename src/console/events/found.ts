import type { DeliveryFilter } from "../../stream/delivery-filter";
import type { StoredEvent } from "../../stream/event";
import { fits, says } from "../../stream/filter";
import type { NotificationView, ShownEvent } from "../../stream/history";
import { notificationId } from "../../stream/stream-name";
import { type Row, shownStatus } from "../deliveries/list";

/** What became of an event at one destination. `status` undefined: the object that keeps it is of the version before. */
export type Outcome = {
  id: string;
  destinationId: string | null;
  status: Row["status"] | undefined;
};

/** One event as a line of the list. */
export type Line = {
  source: string;
  seq: number;
  eventType: string;
  objectType: string;
  objectId: string;
  receivedAt: number;
  /** When it happened; of what is published to be told later, when it is told. */
  date: number;
  isFiltered: boolean;
  outcomes: Outcome[];
};

/** What was found under one number: an event, or a notification with events. */
export type Found = { seq: number; at: number; lines: Line[] };

const outcomeOf = (view: NotificationView): Outcome => ({
  id: view.id,
  destinationId: view.notification.destinationId,
  status: shownStatus(view),
});

const lineOf = (source: string, event: ShownEvent, outcomes: Outcome[]): Line => ({
  source,
  seq: event.seq,
  eventType: event.eventType,
  objectType: event.objectType,
  objectId: event.objectId,
  receivedAt: event.receivedAt,
  date: event.date,
  isFiltered: event.filtered === true,
  outcomes,
});

/** Events with what became of their notifications. An object of the version before neither tells that, nor looks for a text. */
export function ofEvents(
  { name, source }: { name: string; source: string },
  events: readonly StoredEvent[],
  deliveries: readonly NotificationView[] | undefined,
  filter: DeliveryFilter,
): Found[] {
  const outcomes = new Map(
    (deliveries ?? []).map((view) => [view.notification.seq, outcomeOf(view)]),
  );
  return events
    .filter((event) => fits(filter, event))
    .map((event) => {
      const of = event.notifications.map(
        (seq): Outcome =>
          outcomes.get(seq) ?? {
            id: notificationId(name, seq),
            destinationId: null,
            status: undefined,
          },
      );
      return { seq: event.seq, at: event.receivedAt, lines: [lineOf(source, event, of)] };
    });
}

/** A notification with those of its events that are looked for. */
export function ofNotification(
  source: string,
  view: NotificationView,
  { eventType, objectType, objectId, text, member }: DeliveryFilter,
): Found {
  const { seq, createdAt } = view.notification;
  const wanted = view.events.filter(
    (event) =>
      (eventType === undefined || event.eventType === eventType) &&
      (objectType === undefined || event.objectType === objectType) &&
      (objectId === undefined || event.objectId === objectId) &&
      // What was too large for the answer was looked through where it is kept.
      (event.data === undefined || says(event.data, { text, member })),
  );
  const outcome = outcomeOf(view);
  return { seq, at: createdAt, lines: wanted.map((event) => lineOf(source, event, [outcome])) };
}
