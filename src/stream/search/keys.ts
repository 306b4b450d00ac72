import type { Notification, StoredEvent } from "../event";

/** What events and notifications are looked for by. */
export type Wanted = {
  objectType?: string | undefined;
  objectId?: string | undefined;
  eventType?: string | undefined;
  destinationId?: string | undefined;
  flowId?: string | undefined;
};

/** A value and what it is of, as one text. */
const keyOf = (name: keyof Wanted, value: string): string => `${name}|${value}`;

/** The keys that something must have to be what is wanted. */
export const keysOf = (wanted: Wanted): string[] =>
  (["objectId", "destinationId", "flowId", "eventType", "objectType"] as const).flatMap((name) => {
    const value = wanted[name];
    return value === undefined ? [] : keyOf(name, value);
  });

export const keysOfEvent = ({ objectType, objectId, eventType }: StoredEvent): string[] =>
  keysOf({ objectType, objectId, eventType });

/** The keys of a notification and of each of its events. */
export function keysOfNotification(
  { destinationId, envelope }: Notification,
  events: readonly StoredEvent[],
): string[] {
  const own = {
    destinationId: destinationId ?? undefined,
    flowId: envelope.format === "flow-step" ? envelope.flowId : undefined,
  };
  return [...new Set([...keysOf(own), ...events.flatMap(keysOfEvent)])];
}
