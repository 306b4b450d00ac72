import type { StoredEvent } from "./event";
import type { Millis } from "../values/instant";

/** What a reader of a stream wants to see; absent members let everything through. */
export type EventFilter = {
  objectType?: string;
  objectId?: string;
  eventType?: string;
  /** Received at or after, at or before. */
  from?: Millis;
  to?: Millis;
};

export function fits(filter: EventFilter, event: StoredEvent): boolean {
  return (
    (filter.objectType === undefined || event.objectType === filter.objectType) &&
    (filter.objectId === undefined || event.objectId === filter.objectId) &&
    (filter.eventType === undefined || event.eventType === filter.eventType) &&
    event.receivedAt >= (filter.from ?? 0) &&
    event.receivedAt <= (filter.to ?? Number.MAX_SAFE_INTEGER)
  );
}
