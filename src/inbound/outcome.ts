import { withHops } from "../delivery/own-address";
import { feeds } from "../connectors/parsers";
import type { Change } from "../connectors/webhook";
import { eventId } from "../stream/event-id";
import type { Happened } from "../stream/event";
import { UNHEARD } from "../instances/attention";
import { eventSettings, hasCredentials } from "../instances/configuration";
import { snapshotKey } from "../instances/deletions";
import { type Instance, whyOff } from "../instances/instance";
import type { PolledAs } from "../instances/polled";
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

/**
 * An instance without credentials has no poll that could find the changes: what its webhooks tell becomes events at
 * once.
 */
export function listening(instance: Instance): Listening {
  const { connector, configuration, disabled } = instance;
  const { enabled, modes } = eventSettings(connector, configuration);
  const why = whyOff(instance);
  if (why !== undefined) return { kind: "ignores", reason: disabled ? "disabled" : why };
  if (!enabled) return { kind: "ignores", reason: "events are off" };
  if (!modes.includes("webhook")) return { kind: "ignores", reason: UNHEARD };
  const isFeed = connector.webhook?.extraction.by === "feed";
  if (isFeed) return { kind: "wakes" };
  return modes.includes("polling") && hasCredentials(connector, configuration)
    ? { kind: "wakes" }
    : { kind: "emits" };
}

/** For an instance: whether its polls find such a change. */
export function polledChanges(
  instance: Pick<Instance, "connector" | "configuration">,
  polledAs: PolledAs,
): (change: Change) => boolean {
  const { feed: name } = instance.connector.events;
  const feed = name === undefined ? undefined : feeds[name];
  if (feed !== undefined && feed.kind !== "bulk") return () => true;
  const polledBy = polledAs(instance);
  return ({ objectType, eventType }) => {
    const polled = polledBy(objectType);
    if (polled === undefined || polled.resource?.unpolled.includes(eventType) === true)
      return false;
    return eventType !== "DELETED" || polled.resource?.deleted !== undefined;
  };
}

/**
 * For an instance: what its events call the objects of which a webhook gives the vendor's type, the same as its polls
 * would. That is the name under which the instance polls them; else, under which the connector would by itself; else the
 * resource's name.
 */
export function objectTypes(
  instance: Pick<Instance, "connector" | "configuration">,
  polledAs: PolledAs,
): (type: string) => string {
  const { connector } = instance;
  const polledBy = polledAs(instance);
  const polledByDefault = polledAs({ connector, configuration: {} });
  const resources = Object.entries(connector.resources);
  return once((type: string) => {
    const polled = polledBy(type) ?? polledByDefault(type);
    if (polled !== undefined) return polled.name;
    if (Object.hasOwn(connector.resources, type)) return type;
    return resources.find(([, { objectType }]) => objectType === type)?.[0] ?? type;
  });
}

/** Takes what was deleted out of the ids that a poll compares, so that it doesn't tell the deletion again. */
export function goneState(
  mode: Listening,
  events: readonly Pick<Happened, "objectType" | "objectId" | "eventType">[],
): { key: string; value: null }[] {
  if (mode.kind !== "wakes") return [];
  return events
    .filter(({ eventType }) => eventType === "DELETED")
    .map(({ objectType, objectId }) => ({ key: snapshotKey(objectType, objectId), value: null }));
}

/**
 * The events of changes. `typeOf` is what events call the objects of a vendor's type; ids are made of the vendor's own,
 * so that they stay the same whatever the instance polls. Their data together is bounded, in UTF-16 units, by what one commit may hold: many changes may
 * each have the whole delivery for data. The last ones have null then; the delivery itself is kept beside them.
 */
export function eventsOf(
  source: string,
  changes: readonly Change[],
  receivedAt: number,
  typeOf: (type: string) => string,
  hops = 0,
): Happened[] {
  const textOf = once((data) => JSON.stringify(data ?? null));
  let room = MOST_DATA;
  const dataOf = (data: unknown): string => {
    const text = textOf(data);
    room -= text.length;
    return room < 0 ? "null" : text;
  };
  return changes.map(({ objectType, objectId, eventType, date, version, data }) => ({
    id: eventId(source, objectType, objectId, `webhook:${eventType}:${short(version)}`),
    objectType: typeOf(objectType),
    objectId,
    eventType,
    date: date ?? receivedAt,
    data: dataOf(data),
    ...withHops(hops),
  }));
}

/** A delivery has 8 MB at most: the data of one change always fits. */
const MOST_DATA = 10_000_000;

const short = (version: string): string =>
  version.length > 200 ? sha256(version, "hex") : version;
