import type { StoredEvent } from "../../stream/event";
import { notificationId } from "../../stream/stream-name";
import { parseStored } from "../../values/json";
import { isoText } from "../../values/instant";

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
