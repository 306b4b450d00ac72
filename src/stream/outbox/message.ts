import type { DeliveryItem, DeliveryMessage } from "../../delivery/attempt";
import type { Notification } from "../event";
import type { Composed } from "../history";
import { dueAt, nextTry } from "../settle";
import { notificationId } from "../stream-name";
import type { Millis } from "../../values/instant";
import { utf8Length } from "../../values/bytes";

/**
 * Bodies travel in the queue message up to this many bytes together (a message holds 128,000). The consumer asks the
 * stream for the rest.
 */
const INLINE_BYTES = 90_000;

/** The notifications of a bundle as a queue message has them, with the bodies that fit. */
export function itemsOf(
  stream: string,
  notifications: readonly Notification[],
  bodyOf: (notification: Notification) => Composed,
): DeliveryItem[] {
  let bytes = 0;
  return notifications.flatMap((notification) => {
    if (notification.destinationId === null) return [];
    const composed = bodyOf(notification);
    if (composed.ok) bytes += jsonBytes(composed.body);
    return {
      seq: notification.seq,
      n: nextTry(notification),
      tries: notification.tries,
      ...(notification.firstFailedAt === undefined
        ? {}
        : { firstFailedAt: notification.firstFailedAt }),
      destinationId: notification.destinationId,
      id: notificationId(stream, notification.seq),
      createdAt: notification.createdAt,
      ...hopsOf(notification),
      parked: notification.state.kind === "parked",
      forced: notification.forced === true,
      noted: notification.released === true,
      ...(composed.ok ? bodyIf(bytes <= INLINE_BYTES, composed) : { unrenderable: composed.fault }),
    };
  });
}

const bodyIf = (fits: boolean, { body }: { body: string }): { body?: string } =>
  fits ? { body } : {};

/** Whether a notification may leave now. */
export function isDue({ state }: Pick<Notification, "state">, now: Millis): boolean {
  const at = dueAt(state);
  return at !== null && at <= now;
}

export function messageBytes({ items }: DeliveryMessage): number {
  return items.reduce(
    (bytes, { body }) => bytes + 400 + (body === undefined ? 0 : jsonBytes(body)),
    200,
  );
}

/** Bytes of a text inside a JSON message. */
function jsonBytes(text: string): number {
  return utf8Length(JSON.stringify(text));
}

/** Notifications of before had them in their envelope. */
function hopsOf({ hops = 0, envelope }: Notification): { hops?: number } {
  const before = envelope.format === "elements" ? (envelope.hops ?? 0) : 0;
  const most = Math.max(hops, before);
  return most === 0 ? {} : { hops: most };
}
