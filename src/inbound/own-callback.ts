import { EVENT_TYPES } from "./extract";
import { listOf, textOf } from "../connectors/read";
import type { Change } from "../connectors/webhook";
import { readPath } from "../values/path";
import { toInstant } from "../values/instant";

/**
 * The changes in a callback of this platform's own (reference connector-events-api.md §8), for a connector that reads its
 * vendor's bodies only; undefined: the body is no such callback, say because a transform made the vendor's form of it.
 */
export function readOwnCallback(body: unknown): Change[] | undefined {
  const eventId = textOf(readPath(body, "eventId"));
  const events = readPath(body, "message.events");
  if (eventId === undefined || !Array.isArray(events)) return undefined;
  return events.flatMap((event: unknown, index): Change[] => {
    const objectType = textOf(readPath(event, "objectType"));
    const objectId = textOf(readPath(event, "objectId"));
    const eventType = EVENT_TYPES.find((type) => type === readPath(event, "eventType"));
    if (objectType === undefined || objectId === undefined || eventType === undefined) return [];
    // Polled records stand beside their events, in the same order.
    const records = readPath(body, "message.raw");
    const data = listOf(readPath(records, objectType))[index] ?? event;
    const date = toInstant(readPath(event, "date"));
    return [{ objectType, objectId, eventType, date, version: `${eventId}|${index}`, data }];
  });
}
