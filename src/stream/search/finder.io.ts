import { type DeliveryFilter, holdsEvent, mayFit } from "../delivery-filter";
import type { StoredEvent } from "../event";
import { type EventFilter, fits } from "../filter";
import { type NotificationView, withinAnswer } from "../history";
import type { Held, History } from "../history.io";
import type { EventLog } from "../log/store";
import type { Last } from "../meta";
import type { Positions } from "../outbox/positions.store";
import { unitsOf } from "../plan";
import type { OutboxStore, SendableBundle } from "../outbox/store";
import { rangesOf } from "../../values/lists";
import { keysOf } from "./keys";
import type { SearchIndex } from "./search-index.io";

/** Events or notifications that one request looks at: what an index does not narrow down ends with a place to go on. */
const MOST_LOOKED = 2_000;
/** They are read in batches of so many at least, of those that an index found and of others, and at most. */
const BATCH = { found: 8, other: 100, most: 200 };
/** Events that are this near to one another are read together. */
const NEAR_EVENTS = 32;
/** One answer of an object holds 32 MB: a page ends with the event that passes this, in UTF-16 units. */
const MOST_UNITS = 4_000_000;
const EVER = Number.MAX_SAFE_INTEGER;

type Doors = {
  search: SearchIndex;
  log: EventLog;
  bundles: OutboxStore;
  positions: Positions;
  history: History;
  last: () => Last;
};

/** What was found. `last`: the number that was looked at last; `isAll`: nothing is left to look at. */
type Found<Item> = { items: Item[]; last: number | undefined; isAll: boolean };

/** Finds a stream's events and notifications by what they are about, through the index; others are not read. */
export class Finder {
  private readonly doors: Doors;

  constructor(doors: Doors) {
    this.doors = doors;
  }

  /** Events numbered `from` to `to` that pass the filter, in order; `isDown`: the newest first. */
  events(
    { from, to }: { from: number; to: number },
    limit: number,
    filter: EventFilter,
    isDown: boolean,
  ): Found<StoredEvent> {
    const { search, log, last } = this.doors;
    const times = timesOf(filter);
    const came = times === undefined ? { from, to } : log.numbersBetween(times.from, times.to);
    const span = {
      from: Math.max(from, came.from, log.firstSeq() ?? 1),
      to: Math.min(to, came.to, last().event),
    };
    const keys = keysOf(filter);
    const numbers = search.events.candidates(keys, span, isDown);
    return collected(numbers, { limit, isIndexed: keys.length > 0, unitsOf }, (seqs) => {
      const ranges = rangesOf(seqs, NEAR_EVENTS);
      const bySeq = new Map<number, StoredEvent>();
      let room = true;
      for (const range of isDown ? ranges.toReversed() : ranges) {
        const page = room ? log.some(range, isDown) : { events: [], more: true };
        for (const event of page.events) bySeq.set(event.seq, event);
        if (page.more) room = false;
      }
      const end = room ? undefined : [...bySeq.keys()].at(-1);
      return {
        seqs: end === undefined ? seqs : seqs.filter((seq) => (isDown ? seq >= end : seq <= end)),
        find: (seq) => {
          const event = bySeq.get(seq);
          return event !== undefined && fits(filter, event) ? event : undefined;
        },
      };
    });
  }

  /** Notifications numbered below `before` that pass the filter, newest first. */
  notifications(
    before: number,
    limit: number,
    filter: DeliveryFilter,
    withEvents: boolean,
  ): Found<NotificationView> {
    const { search, positions, history, last } = this.doors;
    const times = timesOf(filter);
    const made = times === undefined ? { from: 0, to: EVER } : positions.numbersBetween(times);
    const span = {
      from: Math.max(made.from, positions.firstSeq() ?? 1),
      to: Math.min(before - 1, made.to, last().notification),
    };
    const needsEvents =
      withEvents ||
      [filter.eventType, filter.objectType, filter.objectId, filter.text].some(Boolean);
    const keys = keysOf(filter);
    const numbers = search.notifications.candidates(keys, span, true);
    const found = collected(
      numbers,
      { limit, isIndexed: keys.length > 0, unitsOf: () => 0 },
      (seqs) => {
        const likely = this.held(seqs).filter((held) =>
          mayFit(filter, held.notification, () => history.isOnItsWay(held)),
        );
        const views = history.views(
          likely,
          needsEvents,
          ({ events }) => !needsEvents || holdsEvent(events, filter),
        );
        const bySeq = new Map(views.map((view) => [view.notification.seq, view]));
        return { seqs, find: (seq) => bySeq.get(seq) };
      },
    );
    return { ...found, items: withinAnswer(found.items) };
  }

  /** The notifications of these events, the newest first, without events of their own. */
  ofEvents(events: readonly StoredEvent[]): NotificationView[] {
    const seqs = new Set(events.flatMap(({ notifications }) => notifications));
    const falling = [...seqs].toSorted((left, right) => right - left);
    return this.doors.history.views(this.held(falling.slice(0, MOST_LOOKED)), false);
  }

  /** Notifications with their bundles, of numbers that fall. */
  private held(seqs: readonly number[]): Held[] {
    const found: Held[] = [];
    let bundle: SendableBundle | undefined;
    for (const seq of seqs) {
      if (bundle === undefined || bundle.id > seq)
        [bundle] = this.doors.bundles.beforeInline(seq + 1, 1);
      const notification = bundle?.notifications.find((one) => one.seq === seq);
      if (bundle !== undefined && notification !== undefined) found.push({ bundle, notification });
    }
    return found;
  }
}

/** `unitsOf`: how much of an answer an item is, in UTF-16 units. */
type Limits<Item> = { limit: number; isIndexed: boolean; unitsOf: (item: Item) => number };

/** Of a batch of numbers those that were read, in order, and what is found under each. */
type Batch<Item> = { seqs: readonly number[]; find: (seq: number) => Item | undefined };

/** The first `limit` of what is found under some numbers, or as many as one answer holds. */
function collected<Item>(
  numbers: Iterable<number>,
  { limit, isIndexed, unitsOf: unitsIn }: Limits<Item>,
  read: (seqs: readonly number[]) => Batch<Item>,
): Found<Item> {
  const items: Item[] = [];
  let [last, looked, units]: [number | undefined, number, number] = [undefined, 0, 0];
  const size = (): number =>
    Math.min(
      BATCH.most,
      Math.max(isIndexed ? BATCH.found : BATCH.other, limit - items.length),
      MOST_LOOKED - looked,
    );
  for (const seqs of batches(numbers, size)) {
    const batch = read(seqs);
    for (const seq of batch.seqs) {
      last = seq;
      const item = batch.find(seq);
      if (item === undefined) continue;
      items.push(item);
      units += unitsIn(item);
      if (items.length === limit || units > MOST_UNITS) return { items, last, isAll: false };
    }
    looked += seqs.length;
    if (looked >= MOST_LOOKED || batch.seqs.length < seqs.length)
      return { items, last, isAll: false };
  }
  return { items, last, isAll: true };
}

function* batches(numbers: Iterable<number>, size: () => number): Generator<number[]> {
  let batch: number[] = [];
  for (const number of numbers) {
    batch.push(number);
    if (batch.length < size()) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The instants that a filter names; undefined: none. */
const timesOf = ({ from, to }: EventFilter): { from: number; to: number } | undefined =>
  (from ?? 0) === 0 && (to ?? EVER) === EVER ? undefined : { from: from ?? 0, to: to ?? EVER - 1 };
