import type { Attempt } from "../../delivery/attempt";
import { type DestinationState, stateView } from "../../delivery/state";
import { becauseOf, reasonOf } from "./because";
import { deliveryStatus } from "../../stream/delivery-filter";
import type { NotificationView } from "../../stream/history";
import { dueAt } from "../../stream/settle";
import { parseStreamName } from "../../stream/stream-name";
import { isoText } from "../../values/instant";

/**
 * A notification as a delivery of `/v1`; `destination`: how its destination stands, which tells why one that waits does
 * so.
 */
export function deliveryView(
  stream: string,
  view: NotificationView,
  destination: DestinationState | undefined,
): Record<string, unknown> {
  const { notification, id, events } = view;
  const { state, destinationId, attempts, createdAt } = notification;
  const due = dueAt(state);
  return {
    id,
    source: parseStreamName(stream).source,
    destinationId,
    status: deliveryStatus(view),
    reason: reasonOf(notification),
    because: becauseOf(notification, destination),
    destinationState: destination === undefined ? null : stateView(destination),
    eventTypes: [...new Set(events.map(({ eventType }) => eventType))],
    objectIds: events.map(({ objectId }) => objectId),
    attempts: attempts.length,
    nextAttemptAt: due === null ? null : isoText(due),
    createdAt: isoText(createdAt),
    settledAt: state.kind === "delivered" || state.kind === "dead" ? isoText(state.at) : null,
    warnings: notification.warnings ?? [],
  };
}

/** An attempt to deliver, as `/v1` prints it. */
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
