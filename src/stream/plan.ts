import type { Last } from "./meta";
import type { Commit, DeliveryState, Notification, StoredEvent, Target } from "./event";
import { inRange } from "./in-range";
import { sha256 } from "../values/bytes";
import { keysOfEvent } from "./search/keys";
import type { Millis } from "../values/instant";
import { chunks } from "../values/lists";

/**
 * A notification that has no number yet. `raw`: the event under whose number the vendor's body is stored, and `rawUnits`
 * how many UTF-16 units that body has.
 */
export type Draft = {
  target: Target;
  events: StoredEvent[];
  raw?: StoredEvent;
  rawUnits?: number;
  /** It waits for more events until then. */
  gathersUntil?: Millis;
  /** Events that one of `events` came after, where only the latest counts. */
  outdated?: StoredEvent[];
};

/** Longer ordering keys are replaced by a hash: a bundle's row holds up to 200 of them. */
const MOST_KEY = 300;

/**
 * What a commit adds: the events whose ids are new, without numbers yet, and a notification for each group of at most
 * `most` events that goes to the same target.
 */
export function planCommit(
  commit: Pick<Commit, "events" | "targets" | "raw">,
  context: { now: Millis; isKnown: (id: string) => boolean },
): { events: StoredEvent[]; drafts: Draft[] } {
  const idsSoFar = new Set<string>();
  const added = commit.events.filter(({ id, formerly }) => {
    if (idsSoFar.has(id) || context.isKnown(id)) return false;
    if (formerly !== undefined && context.isKnown(formerly)) return false;
    idsSoFar.add(id);
    return true;
  });
  const events: StoredEvent[] = added.map(({ to: _to, formerly: _formerly, ...event }) => ({
    ...inRange(event, context.now),
    seq: 0,
    receivedAt: context.now,
    notifications: [],
  }));
  const raw =
    commit.raw === undefined || events[0] === undefined
      ? {}
      : { raw: events[0], rawUnits: commit.raw.length };
  const drafts = commit.targets.flatMap((target, targetIndex) => {
    const wanted = events.filter((_, index) => added[index]?.to.includes(targetIndex));
    return chunks(wanted, target.most).map((group) => ({ target, events: group, ...raw }));
  });
  return { events, drafts };
}

/**
 * Numbers events and notifications, each on their own, from the highest numbers so far (`last`) on, and enters in each
 * event the notifications that carry it.
 */
export function numbered(
  bundles: readonly Draft[][],
  events: readonly StoredEvent[],
  last: Last,
  now: Millis,
): { bundles: Notification[][]; last: Last } {
  events.forEach((event, index) => {
    event.seq = last.event + index + 1;
  });
  let seq = last.notification;
  const numberedBundles = bundles.map((drafts) =>
    drafts.map((draft) => {
      seq += 1;
      for (const event of [...(draft.outdated ?? []), ...draft.events])
        event.notifications.push(seq);
      return newNotification(draft, seq, now);
    }),
  );
  return {
    bundles: numberedBundles,
    last: { event: last.event + events.length, notification: seq },
  };
}

/** A notification of `events` in its first state. */
function newNotification(
  { target, events, raw, gathersUntil }: Draft,
  seq: number,
  now: Millis,
): Notification {
  const keys = orderingKeys(target, events);
  const [first] = events;
  const hops = Math.max(0, ...events.map((event) => event.hops ?? 0));
  return {
    seq,
    createdAt: now,
    destinationId: target.destinationId,
    envelope: target.envelope,
    events: events.map((event) => event.seq),
    ...(hops === 0 ? {} : { hops }),
    ...(raw === undefined ? {} : { raw: raw.seq }),
    ...(keys.length === 0 ? {} : { keys, ...(target.blocks === true ? { blocks: true } : {}) }),
    state: firstState(
      target,
      Math.max(gathersUntil ?? now, ...events.map(({ deliverAt = now }) => deliverAt)),
    ),
    ...(gathersUntil === undefined || first === undefined
      ? {}
      : { gathers: gathersOf(target, first, events) }),
    tries: 0,
    attempts: [],
    ...(target.forced === true ? { forced: true } : {}),
    ...(target.warnings === undefined ? {} : { warnings: target.warnings }),
  };
}

/** What a new notification that gathers knows of itself. */
function gathersOf(
  target: Target,
  event: StoredEvent,
  events: readonly StoredEvent[],
): Required<Notification>["gathers"] {
  const keys = new Set(events.flatMap(keysOfEvent));
  return {
    key: gatheringKey(target, event),
    units: events.reduce((sum, one) => sum + unitsOf(one), 0),
    types: [...keys].filter((key) => !key.startsWith("objectId|")),
    ...(target.gather?.isLatest === true ? { isLatest: true } : {}),
  };
}

/** What gathers together: all of a destination, or, where only the latest counts, of one object. */
export const gatheringKey = (
  { destinationId, gather }: Target,
  { objectType, objectId }: StoredEvent,
): string =>
  gather?.isLatest === true
    ? JSON.stringify([destinationId, objectType, objectId])
    : (destinationId ?? "");

/** Due at an instant; kept when it has no destination; dead from the start when its destination is switched off. */
function firstState({ destinationId, skipped }: Target, at: Millis): DeliveryState {
  if (destinationId === null) return { kind: "kept" };
  return skipped === true
    ? { kind: "dead", at, reason: "destination-disabled" }
    : { kind: "pending", at };
}

/** The ordering keys of a notification: it may leave when no earlier one of the same key is open. */
function orderingKeys(target: Target, events: readonly StoredEvent[]): string[] {
  if (target.destinationId === null || target.skipped === true) return [];
  const isList = target.gather !== undefined && target.gather.isLatest !== true;
  // What else a list will take in isn't known yet: it keeps the order of all.
  switch (isList && target.ordering === "object" ? "source" : target.ordering) {
    case "none":
      return [];
    case "source":
      return [`${target.destinationId}|`];
    case "object":
      return [
        ...new Set(
          events.map((event) =>
            orderingKey(JSON.stringify([target.destinationId, event.objectType, event.objectId])),
          ),
        ),
      ];
  }
}

/** The size of an event in its row, about, in UTF-16 units. */
export const unitsOf = ({ data, objectType, objectId, eventType }: StoredEvent): number =>
  data.length + objectType.length + objectId.length + eventType.length;

const orderingKey = (key: string): string => (key.length > MOST_KEY ? sha256(key, "hex") : key);

/** Groups of at most `most` consecutive items that together weigh `limit` at most, unless one item alone weighs more. */
export function groupsByWeight<T>(
  items: readonly T[],
  limit: number,
  most: number,
  weight: (item: T) => number,
): T[][] {
  const groups: T[][] = [];
  let current: T[] = [];
  let total = 0;
  for (const item of items) {
    const itemWeight = weight(item);
    if (current.length > 0 && (total + itemWeight > limit || current.length >= most)) {
      groups.push(current);
      current = [];
      total = 0;
    }
    current.push(item);
    total += itemWeight;
  }
  if (current.length > 0) groups.push(current);
  return groups;
}

/** Text in parts of at most `size` UTF-16 units, never cutting a surrogate pair. */
export function partsOf(text: string, size: number): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length || from === 0;) {
    let to = Math.min(from + size, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    parts.push(text.slice(from, to));
    if (to === from) break;
    from = to;
  }
  return parts;
}
