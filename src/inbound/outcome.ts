import type { Connector } from "../connectors/definition";
import type { Change } from "../connectors/webhook";
import { eventId } from "../stream/event-id";
import type { NewEvent } from "../stream/event";
import { eventSettings } from "../instances/configuration";
import type { Instance } from "../instances/instance";
import { sha256 } from "../values/bytes";

/** What a proved delivery does to its instance. */
export type Listening =
  /** Nothing: it is switched off, or does not listen to webhooks. */
  | { kind: "deaf"; reason: string }
  /** Its changes are events. */
  | { kind: "emits" }
  /** It wakes the poll, which emits; changes that no poll can see are emitted all the same. */
  | { kind: "wakes" };

export function listening(instance: Instance): Listening {
  const { connector, configuration, disabled } = instance;
  const { enabled, modes } = eventSettings(connector, configuration);
  if (disabled) return { kind: "deaf", reason: "disabled" };
  if (!enabled) return { kind: "deaf", reason: "events are off" };
  if (!modes.includes("webhook")) return { kind: "deaf", reason: "it is only polled" };
  const isFeed = connector.webhook?.extraction.by === "feed";
  return modes.includes("polling") || isFeed ? { kind: "wakes" } : { kind: "emits" };
}

/** Whether a poll of this connector would tell of the change. */
export function isPolled(
  { resources, events }: Connector,
  { objectType, eventType }: Change,
): boolean {
  if (events.feed !== undefined) return true;
  const resource = Object.entries(resources).find(
    ([name, one]) => name === objectType || one.objectType === objectType,
  )?.[1];
  if (resource === undefined && events.pollingOther === undefined) return false;
  if (resource?.unpolled.includes(eventType) === true) return false;
  return eventType !== "DELETED" || resource?.deleted !== undefined;
}

export function eventsOf(
  source: string,
  changes: readonly Change[],
  receivedAt: number,
): NewEvent[] {
  return changes.map(({ objectType, objectId, eventType, date, version, data }) => ({
    id: eventId(source, objectType, objectId, `webhook:${eventType}:${short(version)}`),
    objectType,
    objectId,
    eventType,
    date: date ?? receivedAt,
    data: JSON.stringify(data ?? null),
    to: [0],
  }));
}

const short = (version: string): string =>
  version.length > 200 ? sha256(version, "hex") : version;
