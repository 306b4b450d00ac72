import type { Envelope, Notification, StoredEvent } from "./event";
import { endpointBody } from "./endpoint-body";
import { notificationId, parseStreamName } from "./stream-name";
import { type Millis, isoSeconds } from "../values/instant";

/**
 * The body of a notification. It depends on nothing but what the stream stores, so every try and every replay sends
 * the same bytes. Records are inserted as the JSON text that the source gave, never parsed and written again.
 */
export function composeBody(
  stream: string,
  notification: Notification,
  events: readonly StoredEvent[],
  raw: string | undefined,
): string {
  const { envelope } = notification;
  switch (envelope.format) {
    case "verbatim":
      return events.map(({ data }) => data).join("");
    case "elements":
      return elementsBody(
        envelope,
        notificationId(stream, notification.seq),
        notification.createdAt,
        events,
        raw,
      );
    case "endpoint":
      return endpointBody(envelope, parseStreamName(stream).source, events);
    case "flow-step":
      return events
        .map(({ id, objectType, objectId, eventType, date, data }) =>
          spliced(
            { step: envelope, event: { id, objectType, objectId, eventType, date } },
            { data },
          ),
        )
        .join("");
  }
}

/** Reference connector-events-api.md §8. */
function elementsBody(
  envelope: Extract<Envelope, { format: "elements" }>,
  eventId: string,
  createdAt: Millis,
  events: readonly StoredEvent[],
  raw: string | undefined,
): string {
  const { elementKey, instanceId, polled } = envelope;
  const objects = JSON.stringify(events.map((event) => eventObject(envelope, event)));
  const head = JSON.stringify({
    eventId,
    elementKey,
    instanceId,
    instanceName: encodeHtml(envelope.instanceName),
  });
  const vendorPart =
    polled === undefined
      ? (raw ?? "null")
      : spliced(
          { instance_id: instanceId, objectType: polled.objectType, eventId },
          { events: objects, [polled.objectType]: `[${events.map(({ data }) => data).join(",")}]` },
        );
  const message = `${head.slice(0, -1)},"events":${objects},"raw":${vendorPart}}`;
  return spliced(
    {
      eventId,
      topic: `instance-${instanceId}-${elementKey}-events`,
      severity: "low",
      createdDateTime: isoSeconds(createdAt),
    },
    { message },
  );
}

/** One member of `events`; if a poll found it, with the poll's date and the hub. */
export function eventObject(
  envelope: Extract<Envelope, { format: "elements" }>,
  event: Pick<StoredEvent, "objectType" | "objectId" | "date" | "eventType">,
): Record<string, string> {
  const { elementKey, hubKey, polled } = envelope;
  const date = isoSeconds(event.date);
  return polled === undefined
    ? {
        date,
        elementKey,
        eventType: event.eventType,
        objectId: event.objectId,
        objectType: event.objectType,
      }
    : {
        objectType: event.objectType,
        objectId: event.objectId,
        date,
        pollDate: isoSeconds(polled.pollDate),
        eventType: event.eventType,
        elementKey,
        hubKey,
      };
}

/** JSON of `plain` with more members whose values are JSON text already. */
function spliced(plain: Record<string, unknown>, texts: Record<string, string>): string {
  const members = Object.entries(texts).map(([key, text]) => `${JSON.stringify(key)}:${text}`);
  return `${JSON.stringify(plain).slice(0, -1)},${members.join(",")}}`;
}

const HTML: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function encodeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => HTML[char] ?? char);
}
