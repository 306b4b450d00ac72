import type { Change } from "../../connectors/webhook";
import { eventId } from "../../stream/event-id";
import type { Happened } from "../../stream/event";

/** The event of a log's entry. The entry has an id of its own, which makes the event's id. */
export function logEvent(
  source: string,
  { objectType, objectId, eventType, date, version, data }: Change,
  startedAt: number,
): Happened {
  return {
    id: eventId(source, objectType, objectId, `feed:${version}`),
    objectType,
    objectId,
    eventType,
    date: date ?? startedAt,
    data: JSON.stringify(data),
  };
}
