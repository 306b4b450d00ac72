import * as z from "zod";
import type { StoredEvent } from "./event";

/** Which events a reader of a stream wants; an absent member lets every event pass. */
export const eventFilter = z.object({
  objectType: z.string().optional(),
  objectId: z.string().optional(),
  eventType: z.string().optional(),
  /** Received at or after, at or before. */
  from: z.number().optional(),
  to: z.number().optional(),
});
export type EventFilter = z.infer<typeof eventFilter>;

export function fits(filter: EventFilter, event: StoredEvent): boolean {
  return (
    (filter.objectType === undefined || event.objectType === filter.objectType) &&
    (filter.objectId === undefined || event.objectId === filter.objectId) &&
    (filter.eventType === undefined || event.eventType === filter.eventType) &&
    event.receivedAt >= (filter.from ?? 0) &&
    event.receivedAt <= (filter.to ?? Number.MAX_SAFE_INTEGER)
  );
}
