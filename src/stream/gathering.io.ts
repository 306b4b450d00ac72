import type { Notification, StoredEvent, Target } from "./event";
import type { Bundle, OutboxStore } from "./outbox/store";
import { type Draft, gatheringKey, unitsOf } from "./plan";
import type { SearchIndex } from "./search/search-index.io";
import { keysOfEvent } from "./search/keys";
import type { Millis } from "../values/instant";

/** The data of the events of one notification, in UTF-16 units. */
const MOST_UNITS = 1_000_000;
/** After a restart so many bundles are looked through for notifications that still gather. */
const MOST_READ = 1_000;

/** An event that a stored notification takes in. */
type Joining = {
  bundle: Bundle;
  notification: Notification;
  events: StoredEvent[];
  isFull: boolean;
};

/**
 * Destinations that want several events at a time, or only the latest of an object: a notification of theirs waits, and
 * takes in what comes meanwhile, until its time is over or it is full. Example, of lists of at most three within a second:
 *
 *     0.0 s  event 1: a notification of event 1, due at 1.0 s
 *     0.4 s  event 2: the notification has events 1 and 2
 *     0.5 s  events 3 and 4: the notification has 1, 2 and 3, and is due now; another one has event 4, due at 1.5 s
 *
 * Where only the latest counts, the notification of an object has one event, the last that came: it goes when the time that
 * began with the first one is over, however many follow.
 *
 * What gathers is known in memory, and found again by its rows after a restart.
 */
export class Gathering {
  /** The number of the last notification that gathers for a key. */
  private open: Map<string, number> | undefined;
  private readonly bundles: OutboxStore;
  private readonly search: SearchIndex;

  constructor(bundles: OutboxStore, search: SearchIndex) {
    this.bundles = bundles;
    this.search = search;
  }

  /** After a transaction that was rolled back. */
  forget(): void {
    this.open = undefined;
  }

  /** The drafts that are left when events are gathered, and what stored notifications take in. */
  take(drafts: readonly Draft[], now: Millis): { drafts: Draft[]; joining: Joining[] } {
    const fresh = new Map<string, Draft>();
    const joining = new Map<string, Joining>();
    const left = drafts.flatMap((draft): Draft[] => {
      const { gather } = draft.target;
      const [event] = draft.events;
      if (gather === undefined || event === undefined || event.deliverAt !== undefined)
        return [draft];
      const key = gatheringKey(draft.target, event);
      const mine = fresh.get(key);
      if (mine !== undefined && takeIn(mine, event, gather)) return [];
      const stored = mine === undefined ? this.stored(key, joining, now) : undefined;
      if (stored !== undefined && joins(stored, event, gather)) return [];
      const made = { ...draft, events: [event], gathersUntil: now + gather.waitMs };
      fresh.set(key, made);
      return [made];
    });
    return { drafts: left, joining: [...joining.values()] };
  }

  /** Stores what joins, when the events have their numbers. @returns bundles of which something is due now. */
  store(joining: readonly Joining[], now: Millis): Bundle[] {
    const touched = new Map<number, Bundle>();
    for (const { bundle, notification, events, isFull } of joining) {
      const isLatest = notification.gathers?.isLatest === true;
      for (const event of events) event.notifications.push(notification.seq);
      const seqs = events.map(({ seq }) => seq);
      notification.events = isLatest ? seqs.slice(-1) : [...notification.events, ...seqs];
      const hops = Math.max(notification.hops ?? 0, ...events.map((event) => event.hops ?? 0));
      if (hops > 0) notification.hops = hops;
      if (notification.gathers !== undefined)
        notification.gathers.units += events.reduce((sum, event) => sum + unitsOf(event), 0);
      if (isFull && notification.state.kind === "pending")
        notification.state = { kind: "pending", at: now };
      if (!isLatest) this.search.gathered(notification.seq, newKeys(notification, events));
      touched.set(bundle.id, bundle);
    }
    for (const bundle of touched.values()) this.bundles.save(bundle);
    const full = new Set(joining.filter(({ isFull }) => isFull).map(({ bundle }) => bundle.id));
    return [...touched.values()].filter(({ id }) => full.has(id));
  }

  /** Notifications that were just stored may gather. */
  note(notifications: readonly Notification[]): void {
    if (this.open === undefined) return;
    for (const { gathers, seq } of notifications)
      if (gathers !== undefined) this.open.set(gathers.key, seq);
  }

  /** The stored notification that gathers for a key, with what it takes in already. */
  private stored(key: string, joining: Map<string, Joining>, now: Millis): Joining | undefined {
    const known = joining.get(key);
    if (known !== undefined) return known;
    this.open ??= this.readOpen(now);
    const seq = this.open.get(key);
    if (seq === undefined) return undefined;
    const before = [...joining.values()].find(({ bundle }) => holds(bundle, seq))?.bundle;
    const bundle = before ?? this.bundles.find(seq)?.bundle;
    const notification = bundle?.notifications.find((one) => one.seq === seq);
    if (bundle === undefined || notification === undefined || !isOpen(notification, now)) {
      this.open.delete(key);
      return undefined;
    }
    const made = { bundle, notification, events: [], isFull: false };
    joining.set(key, made);
    return made;
  }

  private readOpen(now: Millis): Map<string, number> {
    const found = this.bundles.deferred(0, now, MOST_READ);
    return new Map(
      found.flatMap(({ notifications }) =>
        notifications.flatMap((one): [string, number][] =>
          one.gathers !== undefined && isOpen(one, now) ? [[one.gathers.key, one.seq]] : [],
        ),
      ),
    );
  }
}

/** The keys by which a notification is found because of these events, and was not before. */
function newKeys({ gathers }: Notification, events: readonly StoredEvent[]): string[] {
  const known = new Set(gathers?.types);
  const keys = [...new Set(events.flatMap(keysOfEvent))].filter((key) => !known.has(key));
  gathers?.types.push(...keys.filter((key) => !key.startsWith("objectId|")));
  return keys;
}

type Gather = NonNullable<Target["gather"]>;

const holds = ({ notifications }: Bundle, seq: number): boolean =>
  notifications.some((one) => one.seq === seq);

/** It was never tried, and its time is not over; or it waits for an earlier one of its order. */
const isOpen = ({ state, tries }: Notification, now: Millis): boolean =>
  tries === 0 && (state.kind === "waiting" || (state.kind === "pending" && state.at > now));

/** Puts an event into a draft that has room for it. */
function takeIn(draft: Draft, event: StoredEvent, gather: Gather): boolean {
  if (gather.isLatest === true) {
    draft.outdated = [...(draft.outdated ?? []), ...draft.events];
    draft.events = [event];
    return true;
  }
  const units = draft.events.reduce((sum, one) => sum + unitsOf(one), unitsOf(event));
  const isRoom = draft.events.length < gather.most && units <= MOST_UNITS;
  if (isRoom) draft.events.push(event);
  if (!isRoom || draft.events.length === gather.most) delete draft.gathersUntil;
  return isRoom;
}

/** Notes that a stored notification takes an event in, if it has room for it. */
function joins(joining: Joining, event: StoredEvent, gather: Gather): boolean {
  const { notification, events } = joining;
  if (joining.isFull) return false;
  if (gather.isLatest !== true) {
    const count = notification.events.length + events.length;
    const units = events.reduce(
      (sum, one) => sum + unitsOf(one),
      (notification.gathers?.units ?? 0) + unitsOf(event),
    );
    const isRoom = count < gather.most && units <= MOST_UNITS;
    joining.isFull = !isRoom || count + 1 === gather.most;
    if (!isRoom) return false;
  }
  events.push(event);
  return true;
}
