import { sha256 } from "../values/bytes";
import { dateOrNone, type Millis } from "../values/instant";
import type { NewEvent } from "./event";

/** Names of objects and types are keys of rows and members of lists: this many UTF-16 units of one are kept. */
export const MOST_NAME = 2_000;

/**
 * An event as everything behind the commit may rely on it: its date can be written, and its names are of a size that
 * rows, keys and lists can hold. Whoever committed it has seen to that; this is what stands between one that did not and a
 * stream that cannot be read any more. A date that is none becomes that of receipt; what came is in the event's data.
 */
export function inRange<E extends Pick<NewEvent, "objectType" | "objectId" | "eventType" | "date">>(
  event: E,
  receivedAt: Millis,
): E {
  return {
    ...event,
    objectType: boundedName(event.objectType),
    objectId: boundedName(event.objectId),
    eventType: boundedName(event.eventType),
    date: dateOrNone(event.date) ?? receivedAt,
  };
}

/** The name, or its beginning and a hash of it all: two long names that begin alike stay two. */
export function boundedName(name: string): string {
  if (name.length <= MOST_NAME) return name;
  return `${name.slice(0, MOST_NAME - 65).toWellFormed()}…${sha256(name, "hex")}`;
}
