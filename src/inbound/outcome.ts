import { withHops } from "../delivery/own-address";
import type { Connector } from "../connectors/definition";
import type { Change } from "../connectors/webhook";
import { eventId } from "../stream/event-id";
import type { NewEvent } from "../stream/event";
import { eventSettings } from "../instances/configuration";
import { snapshotKey } from "../instances/deletions";
import type { Instance } from "../instances/instance";
import { sha256 } from "../values/bytes";
import { once } from "../values/cache";

/** What a delivery whose signature was checked does to its instance. */
export type Listening =
  /** Nothing: the instance is disabled, or not configured for webhooks. */
  | { kind: "ignores"; reason: string }
  /** Its changes become events. */
  | { kind: "emits" }
  /** It wakes the poll, which finds the changes; only those that no poll can see become events at once. */
  | { kind: "wakes" };

export function listening(instance: Instance): Listening {
  const { connector, configuration, disabled } = instance;
  const { enabled, modes } = eventSettings(connector, configuration);
  if (disabled) return { kind: "ignores", reason: "disabled" };
  if (!enabled) return { kind: "ignores", reason: "events are off" };
  if (!modes.includes("webhook")) return { kind: "ignores", reason: "it is only polled" };
  const isFeed = connector.webhook?.extraction.by === "feed";
  return modes.includes("polling") || isFeed ? { kind: "wakes" } : { kind: "emits" };
}

/** Whether a poll of this connector finds such a change. */
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

/** Takes what was deleted out of the ids that a poll compares, so that it doesn't tell the deletion again. */
export function goneState(
  { resources }: Connector,
  mode: Listening,
  emitted: readonly Change[],
): { key: string; value: null }[] {
  if (mode.kind !== "wakes") return [];
  return emitted
    .filter(({ eventType }) => eventType === "DELETED")
    .flatMap(({ objectType, objectId }) =>
      namesOf(resources, objectType).map((name) => ({
        key: snapshotKey(name, objectId),
        value: null,
      })),
    );
}

/** The resources whose objects an event calls by this type. */
const namesOf = (resources: Connector["resources"], type: string): string[] =>
  Object.entries(resources)
    .filter(([name, { objectType }]) => name === type || objectType === type)
    .map(([name]) => name);

/**
 * The events of changes. Their data together is bounded, in UTF-16 units, by what one commit may hold: many changes may
 * each have the whole delivery for data. The last ones have null then; the delivery itself is kept beside them.
 */
export function eventsOf(
  source: string,
  changes: readonly Change[],
  receivedAt: number,
  hops = 0,
): NewEvent[] {
  const textOf = once((data) => JSON.stringify(data ?? null));
  let room = MOST_DATA;
  const dataOf = (data: unknown): string => {
    const text = textOf(data);
    room -= text.length;
    return room < 0 ? "null" : text;
  };
  return changes.map(({ objectType, objectId, eventType, date, version, data }) => ({
    id: eventId(source, objectType, objectId, `webhook:${eventType}:${short(version)}`),
    objectType,
    objectId,
    eventType,
    date: date ?? receivedAt,
    data: dataOf(data),
    ...withHops(hops),
    to: [0],
  }));
}

/** A delivery has 8 MB at most: the data of one change always fits. */
const MOST_DATA = 10_000_000;

const short = (version: string): string =>
  version.length > 200 ? sha256(version, "hex") : version;
