import { composeBody } from "./body";
import type { Notification, StoredEvent } from "./event";
import { type EventFilter, fits } from "./filter";
import {
  type Composed,
  type NotificationView,
  type Preloaded,
  preloadedFrom,
  withinAnswer,
} from "./history";
import { EventCollector } from "./log/event-page";
import { LaterVersion, type Segment } from "./log/event-rows.store";
import type { EventLog } from "./log/store";
import type { OutboxStore } from "./outbox/store";
import { notificationId } from "./stream-name";
import { chunks, rangesOf } from "../values/lists";

type IsSent = (bundleId: number, notification: Notification) => boolean;

/** Bundles that one query reads; pages of events that one request reads at most. */
const PAGE_BUNDLES = 20;
const MOST_PAGES = 20;
/** Events that are this near to one another are read together. */
const NEAR_EVENTS = 64;
/** One answer holds so much of bodies, in UTF-16 units, and the last of them more. */
const BODIES_UNITS = 4_000_000;

/** Reads a stream's notifications and events for those who ask about the past, and composes bodies. */
export class History {
  private readonly bundles: OutboxStore;
  private readonly log: EventLog;
  private readonly name: () => string;
  private readonly isSent: IsSent;

  constructor(bundles: OutboxStore, log: EventLog, name: () => string, isSent: IsSent) {
    this.bundles = bundles;
    this.log = log;
    this.name = name;
    this.isSent = isSent;
  }

  notification(seq: number): NotificationView | null {
    const [found] = this.notifications(seq + 1, 1, true);
    return found?.notification.seq === seq ? found : null;
  }

  view(bundleId: number, notification: Notification): NotificationView {
    return this.viewWith(bundleId, notification, this.load([notification], []));
  }

  /**
   * The body a notification is sent with. What cannot be composed is said, not thrown: its neighbours go all the same.
   * @throws LaterVersion
   */
  body(notification: Notification, preloaded?: Preloaded): Composed {
    try {
      return { ok: true, body: this.compose(notification, preloaded) };
    } catch (error) {
      if (error instanceof LaterVersion) throw error;
      return { ok: false, fault: `The body cannot be composed: ${String(error)}` };
    }
  }

  private compose(notification: Notification, preloaded: Preloaded | undefined): string {
    const { events, raw } = notification;
    const isWhole =
      preloaded !== undefined &&
      events.every((seq) => preloaded.events.has(seq)) &&
      (raw === undefined || preloaded.raws.has(raw));
    const found = isWhole ? preloaded : this.load([notification], []);
    const body = raw === undefined ? undefined : found.raws.get(raw);
    return composeBody(this.name(), notification, eventsIn(found, notification), body);
  }

  /**
   * Bodies, by number, of as many of these notifications as fit into an answer; `read`: how many were looked at. One
   * that is gone, or cannot be composed, has none.
   */
  bodies(seqs: readonly number[]): { bodies: Record<number, string>; read: number } {
    const bodies: Record<number, string> = {};
    let [read, units] = [0, 0];
    for (const page of chunks(seqs, PAGE_BUNDLES)) {
      const wanted = new Set(page);
      const ids = new Map(page.map((seq) => [seq, this.bundles.beforeInline(seq + 1, 1)[0]]));
      const bundles = [...new Map([...ids.values()].map((one) => [one?.id, one])).values()];
      const held = bundles.flatMap((bundle) => bundle?.notifications ?? []);
      const asked = held.filter(({ seq }) => wanted.has(seq));
      const loaded = this.load(
        asked,
        bundles.flatMap((bundle) => bundle?.inline ?? []),
      );
      const bySeq = new Map(asked.map((notification) => [notification.seq, notification]));
      for (const seq of page) {
        const notification = bySeq.get(seq);
        const composed = notification && this.body(notification, loaded);
        read += 1;
        if (composed?.ok !== true) continue;
        bodies[seq] = composed.body;
        units += composed.body.length;
        if (units > BODIES_UNITS) return { bodies, read };
      }
    }
    return { bodies, read };
  }

  /** Newest first, from below `before`. */
  notifications(before: number, limit: number, withEvents: boolean): NotificationView[] {
    const views: NotificationView[] = [];
    for (let from = before; views.length < limit;) {
      const bundles = this.bundles.beforeInline(from, Math.min(PAGE_BUNDLES, limit - views.length));
      const wanted = bundles
        .flatMap(({ id, notifications }) =>
          notifications.toReversed().map((notification) => ({ id, notification })),
        )
        .filter(({ notification }) => notification.seq < before)
        .slice(0, limit - views.length);
      const loaded = withEvents
        ? this.load(
            wanted.map(({ notification }) => notification),
            bundles.flatMap(({ inline }) => inline),
          )
        : undefined;
      views.push(...wanted.map(({ id, notification }) => this.viewWith(id, notification, loaded)));
      const last = bundles.at(-1);
      if (last === undefined) break;
      from = last.id;
    }
    return withinAnswer(views);
  }

  /** Oldest first, after `after`; at most `limit` that pass the filter. `last` is the number to go on from. */
  events(
    after: number,
    limit: number,
    filter: EventFilter,
  ): { events: StoredEvent[]; last: number } {
    const found = new EventCollector(limit);
    let last = after;
    for (let pages = 0; pages < MOST_PAGES && !found.isFull; pages += 1) {
      const page = this.log.after(last, limit);
      for (const event of page.events) {
        if (found.isFull) break;
        last = event.seq;
        if (fits(filter, event)) found.add(event);
      }
      if (!page.more) break;
    }
    return { events: found.page(false).events, last };
  }

  /** `loaded`: what `load` found for it; undefined: its events are left out. */
  private viewWith(
    bundleId: number,
    notification: Notification,
    loaded: Preloaded | undefined,
  ): NotificationView {
    const id = notificationId(this.name(), notification.seq);
    const events = loaded === undefined ? [] : eventsIn(loaded, notification);
    return {
      notification,
      id,
      events,
      isSent: this.isSent(bundleId, notification),
    };
  }

  /** The events of notifications and their vendors' bodies: from `inline` where they lie there, else from the log. */
  private load(notifications: readonly Notification[], inline: readonly Segment[]): Preloaded {
    const atHand = preloadedFrom(inline);
    const [events, raws] = [new Map(atHand.events), new Map(atHand.raws)];
    const missing = notifications.flatMap(({ events: seqs, raw }) => [
      ...seqs.filter((seq) => !events.has(seq)),
      ...(raw === undefined || raws.has(raw) ? [] : [raw]),
    ]);
    for (const { from, to } of rangesOf(missing, NEAR_EVENTS)) {
      const found = this.log.events(from, to);
      for (const event of found.events) events.set(event.seq, event);
      for (const [seq, raw] of found.raws) raws.set(seq, raw);
    }
    return { events, raws };
  }
}

const eventsIn = ({ events }: Preloaded, { events: seqs }: Notification): StoredEvent[] =>
  seqs.flatMap((seq) => events.get(seq) ?? []);
