import type { Attempt } from "../delivery/attempt";
import { parseStored } from "../values/depth";
import type { StoredEvent } from "../stream/event";
import type { NotificationView } from "../stream/history";
import { dueAt } from "../stream/settle";
import { notificationId, parseStreamName } from "../stream/stream-name";
import { isoText } from "../values/instant";

/** An event as `/v1` prints it. */
export function eventView(stream: string, event: StoredEvent): Record<string, unknown> {
  const { id, seq, objectType, objectId, eventType, date, receivedAt, data, notifications } = event;
  return {
    id,
    seq,
    objectType,
    objectId,
    eventType,
    date: isoText(date),
    receivedAt: isoText(receivedAt),
    data: parseStored(data),
    notificationIds: notifications.map((held) => notificationId(stream, held)),
  };
}

export type DeliveryStatus = "pending" | "sent" | "retrying" | "held" | "delivered" | "dead";

/** Where a notification stands, in the words of `/v1`. */
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

/** A notification as a delivery of `/v1`. */
export function deliveryView(stream: string, view: NotificationView): Record<string, unknown> {
  const { notification, id, events } = view;
  const { state, destinationId, attempts, createdAt } = notification;
  const due = dueAt(state);
  return {
    id,
    source: parseStreamName(stream).source,
    destinationId,
    status: deliveryStatus(view),
    reason: state.kind === "dead" ? state.reason : null,
    eventTypes: [...new Set(events.map(({ eventType }) => eventType))],
    objectIds: events.map(({ objectId }) => objectId),
    attempts: attempts.length,
    nextAttemptAt: due === null ? null : isoText(due),
    createdAt: isoText(createdAt),
    settledAt: state.kind === "delivered" || state.kind === "dead" ? isoText(state.at) : null,
    warnings: notification.warnings ?? [],
  };
}

/** One try. */
export function attemptView({
  n,
  at,
  status,
  durationMs,
  error,
  responseHeaders,
  responseBody,
  truncated,
}: Attempt): Record<string, unknown> {
  return {
    n,
    at: isoText(at),
    status,
    durationMs,
    error,
    responseHeaders,
    responseBody,
    truncated,
  };
}

const SECRET_HEADER = /authorization|cookie|secret|token|key|password|signature/i;

/** Headers as operators may see them. */
export function maskedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      SECRET_HEADER.test(name) ? "********" : value,
    ]),
  );
}
