import { eventObject } from "../../stream/body";
import { memberJson } from "../../values/digits";
import { parseStored } from "../../values/json";
import { readPath } from "../../values/path";
import { recordOf } from "../../values/record";
import type { NotificationView, ShownEvent } from "../../stream/history";
import { isDate, isoText } from "../../values/instant";

/** A notification's status as the contract names it (reference connector-events-api.md §9). */
export function statusOf({ notification }: NotificationView): string {
  switch (notification.state.kind) {
    case "kept":
      return "RECEIVED";
    case "pending":
    case "waiting":
      return "NEW";
    case "held":
    case "retrying":
    case "parked":
      return "DISPATCHED";
    case "dead":
      return "CONSUMED";
    case "delivered":
      return "NOTIFIED";
  }
}

/** A notification as the history prints it; `body` is what its destination gets. */
export function historyView(view: NotificationView, body: string): Record<string, unknown> {
  const { envelope, createdAt } = view.notification;
  return {
    id: view.id,
    eventDate: isoText(createdAt),
    status: statusOf(view),
    providerData: rawOf(body),
    notifiedData:
      envelope.format === "elements"
        ? view.events.map((event) => shownObject(envelope, event))
        : [],
  };
}

/** An event as its callback has it; with a date that is none, which no callback can have, the date is null. */
function shownObject(
  envelope: Parameters<typeof eventObject>[0],
  event: ShownEvent,
): Record<string, string | null> {
  return isDate(event.date)
    ? eventObject(envelope, event)
    : { ...eventObject(envelope, { ...event, date: event.receivedAt }), date: null };
}

/** One entry of a disposition: what happened to a notification (reference connector-events-api.md §9). */
export function dispositionView(
  view: NotificationView,
  instanceId: number,
): Record<string, unknown> {
  return {
    eventId: view.id,
    elementInstanceId: instanceId,
    notificationData: view.notification.attempts.map(({ status, error, at }) => ({
      date: isoText(at),
      message:
        status !== null && status >= 200 && status < 300
          ? `Completed execution: the destination answered ${status}`
          : `Error delivering event: ${error ?? `the destination answered ${status}`}`,
    })),
  };
}

/** The vendor's own words, as JSON text; `null` in a body that has none, or cannot be read. */
function rawOf(body: string): string {
  try {
    const message = recordOf(readPath(parseStored(body), "message"));
    return Object.hasOwn(message, "raw") ? memberJson(message, "raw") : "null";
  } catch {
    return "null";
  }
}
