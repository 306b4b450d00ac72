import type { StoredEvent } from "../../stream/event";
import { maskedJson } from "../../values/secret-json";
import { notificationId, parseStreamName } from "../../stream/stream-name";
import { parseStored } from "../../values/json";
import { isDate, isoText, isoTextOrNull } from "../../values/instant";

/**
 * An event as `/v1` prints it. One that older versions stored with a date that is none, or data that cannot be read, is
 * shown without that, and `unrenderable` says why.
 */
export function eventView(stream: string, event: StoredEvent): Record<string, unknown> {
  const { id, seq, objectType, objectId, eventType, date, receivedAt, data, notifications } = event;
  const { filtered } = event;
  const read = readData(data);
  // Earlier versions kept credentials in runs of flows, and in changes of Webhooks.
  const isRequestLike =
    objectType === "flow-step" || parseStreamName(stream).source.startsWith("scope:");
  const faults = [
    ...(isDate(date) ? [] : [`${date} is no date`]),
    ...(read === undefined ? ["The data is not JSON"] : []),
  ];
  return {
    id,
    seq,
    objectType,
    objectId,
    eventType,
    date: isoTextOrNull(date),
    receivedAt: isoText(receivedAt),
    data: isRequestLike ? maskedJson(read?.value ?? null) : (read?.value ?? null),
    notificationIds: notifications.map((held) => notificationId(stream, held)),
    ...(filtered === true ? { filtered } : {}),
    ...(faults.length === 0 ? {} : { unrenderable: faults.join("; ") }),
  };
}

function readData(data: string): { value: unknown } | undefined {
  try {
    return { value: parseStored(data) };
  } catch {
    return undefined;
  }
}
