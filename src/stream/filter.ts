import * as z from "zod";
import { memberJson } from "../values/digits";
import { parseStored } from "../values/json";
import { isObject } from "../values/record";
import type { StoredEvent } from "./event";

/** Which events a reader of a stream wants; an absent member lets every event pass. */
export const eventFilter = z.object({
  objectType: z.string().optional(),
  objectId: z.string().optional(),
  eventType: z.string().optional(),
  /** Somewhere in the data, in capitals or not. */
  text: z.string().optional(),
  /** The text is looked for in this member of the data alone. */
  member: z.string().optional(),
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
    says(event.data, filter) &&
    event.receivedAt >= (filter.from ?? 0) &&
    event.receivedAt <= (filter.to ?? Number.MAX_SAFE_INTEGER)
  );
}

/**
 * Whether JSON text, or a member of its object, holds a text, whatever its case: as it is written, or as JSON writes it
 * (`"` as `\\"`). Nothing is looked for without one.
 */
export function says(
  data: string,
  { text, member }: Pick<EventFilter, "text" | "member">,
): boolean {
  if (text === undefined || text === "") return true;
  const forms = [text, JSON.stringify(text).slice(1, -1)].map((form) => form.toLowerCase());
  const holds = (json: string): boolean => {
    const held = json.toLowerCase();
    return forms.some((form) => held.includes(form));
  };
  // Most have it nowhere: those are not read.
  return holds(data) && (member === undefined || holds(memberOf(data, member)));
}

function memberOf(data: string, name: string): string {
  const value = parseStored(data);
  return isObject(value) && Object.hasOwn(value, name) ? memberJson(value, name) : "";
}
