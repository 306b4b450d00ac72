import { composeBody } from "./body";
import type { Notification, StoredEvent } from "./event";
import { type EventFilter, fits } from "./filter";
import type { NotificationView, Preloaded } from "./history";
import type { EventLog } from "./log/store";
import type { OutboxStore } from "./outbox/store";
import { notificationId } from "./stream-name";

type IsSent = (bundleId: number, notification: Notification) => boolean;

/** Bundles that one query reads; pages of events that one request reads at most. */
const PAGE_BUNDLES = 20;
const MOST_PAGES = 20;

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
    const found = this.bundles.find(seq);
    return found === undefined ? null : this.view(found.bundle.id, found.notification);
  }

  view(bundleId: number, notification: Notification): NotificationView {
    return this.viewWith(bundleId, notification, this.eventsOf(notification).events);
  }

  /** The body a notification is sent with. */
  body(notification: Notification, preloaded?: Preloaded): string {
    const inMemory = notification.events.flatMap((seq) => preloaded?.events.get(seq) ?? []);
    const found =
      preloaded !== undefined && inMemory.length === notification.events.length
        ? { events: inMemory, raws: preloaded.raws }
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
          views.push(this.viewWith(id, notification, events));
        }
      const last = bundles.at(-1);
      if (last === undefined) break;
      from = last.id;
    }
    return views;
  }

  /** Oldest first, after `after`; at most `limit` that pass the filter. `last` is the number to go on from. */
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

  private viewWith(
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
