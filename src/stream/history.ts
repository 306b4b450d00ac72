import { composeBody } from "./body";
import type { Notification, StoredEvent } from "./event";
import { type EventFilter, fits } from "./filter";
import type { EventLog } from "./log/store";
import type { OutboxStore } from "./outbox/store";
import { notificationId } from "./stream-name";

/** What an operator or the history pages see of a notification. */
export type NotificationView = {
  notification: Notification;
  id: string;
  events: StoredEvent[];
  /** It is on a queue, and not settled yet. */
  isSent: boolean;
};

/** Whether a notification of a bundle is on a queue, and not settled yet. */
export type IsSent = (bundleId: number, notification: Notification) => boolean;

/** Events and vendor bodies by their numbers, that need not be read. */
export type AtHand = {
  events: ReadonlyMap<number, StoredEvent>;
  raws: ReadonlyMap<number, string>;
};

/** What lies in these segments, at hand. */
export function atHandOf(
  segments: readonly { events: StoredEvent[]; raw?: string | undefined }[],
): AtHand {
  const events = segments.flatMap((segment) => segment.events);
  return {
    events: new Map(events.map((event) => [event.seq, event])),
    raws: new Map(
      segments.flatMap(({ events: [first], raw }) =>
        first === undefined || raw === undefined ? [] : [[first.seq, raw]],
      ),
    ),
  };
}

/** Bundles and pages of events that one question reads at a time. */
const PAGE_BUNDLES = 20;
const MOST_PAGES = 20;

/** A stream's past, read from its tables. */
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
    const bundle = this.bundles.bundleOf(seq);
    const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
    return bundle === undefined || notification === undefined
      ? null
      : this.view(bundle.id, notification);
  }

  view(bundleId: number, notification: Notification): NotificationView {
    return this.shown(bundleId, notification, this.eventsOf(notification).events);
  }

  /** The bytes a notification is sent with; what is `at hand` need not be read. */
  body(notification: Notification, atHand?: AtHand): string {
    const held = notification.events.flatMap((seq) => atHand?.events.get(seq) ?? []);
    const found =
      atHand !== undefined && held.length === notification.events.length
        ? { events: held, raws: atHand.raws }
        : this.eventsOf(notification);
    const raw = notification.raw === undefined ? undefined : found.raws.get(notification.raw);
    return composeBody(this.name(), notification, found.events, raw);
  }

  /** Newest first, from below `before`. */
  notifications(before: number, limit: number, withEvents: boolean): NotificationView[] {
    const views: NotificationView[] = [];
    for (let from = before; views.length < limit;) {
      const bundles = this.bundles.before(from, PAGE_BUNDLES);
      for (const { id, notifications } of bundles)
        for (const notification of notifications.toReversed()) {
          if (notification.seq >= before || views.length === limit) continue;
          const events = withEvents ? this.eventsOf(notification).events : [];
          views.push(this.shown(id, notification, events));
        }
      const last = bundles.at(-1);
      if (last === undefined) break;
      from = last.id;
    }
    return views;
  }

  /** Oldest first, after `after`; at most `limit` that fit. `last` is the number to go on from. */
  events(
    after: number,
    limit: number,
    filter: EventFilter,
  ): { events: StoredEvent[]; last: number } {
    const events: StoredEvent[] = [];
    let last = after;
    for (let pages = 0; pages < MOST_PAGES && events.length < limit; pages += 1) {
      const page = this.log.after(last, limit);
      for (const event of page) {
        if (events.length === limit) break;
        last = event.seq;
        if (fits(filter, event)) events.push(event);
      }
      if (page.length < limit) break;
    }
    return { events, last };
  }

  private shown(
    bundleId: number,
    notification: Notification,
    events: StoredEvent[],
  ): NotificationView {
    const id = notificationId(this.name(), notification.seq);
    return { notification, id, events, isSent: this.isSent(bundleId, notification) };
  }

  private eventsOf(notification: Notification): {
    events: StoredEvent[];
    raws: Map<number, string>;
  } {
    const wanted = new Set(notification.events);
    const first = Math.min(notification.raw ?? Number.MAX_SAFE_INTEGER, ...wanted);
    const found = this.log.events(first, Math.max(...wanted));
    return { raws: found.raws, events: found.events.filter(({ seq }) => wanted.has(seq)) };
  }
}
