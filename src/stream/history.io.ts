import { composeBody } from "./body";
import type { Notification, StoredEvent } from "./event";
import {
  type Composed,
  type NotificationView,
  type Preloaded,
  preloadedFrom,
  withinAnswer,
} from "./history";
import { LaterVersion, type Segment } from "./log/event-rows.store";
import type { EventLog } from "./log/store";
import type { OutboxStore, SendableBundle } from "./outbox/store";
import { notificationId } from "./stream-name";
import { chunks, rangesOf } from "../values/lists";

type IsSent = (bundleId: number, notification: Notification) => boolean;

/** A notification, and the bundle that it was read with. */
export type Held = { bundle: SendableBundle; notification: Notification };

/** Bundles that one query reads. */
const PAGE_BUNDLES = 20;
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
      const held = new Map(
        page.flatMap((seq): [number, Held][] => {
          const [bundle] = this.bundles.beforeInline(seq + 1, 1);
          const notification = bundle?.notifications.find((one) => one.seq === seq);
          return bundle === undefined || notification === undefined
            ? []
            : [[seq, { bundle, notification }]];
        }),
      );
      const loaded = this.loadAll([...held.values()]);
      for (const seq of page) {
        const notification = held.get(seq)?.notification;
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
        .flatMap((bundle) =>
          bundle.notifications.toReversed().map((notification) => ({ bundle, notification })),
        )
        .filter(({ notification }) => notification.seq < before)
        .slice(0, limit - views.length);
      views.push(...this.views(wanted, withEvents));
      const last = bundles.at(-1);
      if (last === undefined) break;
      from = last.id;
    }
    return withinAnswer(views);
  }

  /** Notifications that were read with their bundles, as far as they are wanted; their events are read together. */
  views(
    held: readonly Held[],
    withEvents: boolean,
    isWanted: (view: NotificationView) => boolean = () => true,
  ): NotificationView[] {
    const loaded = withEvents ? this.loadAll(held) : undefined;
    return withinAnswer(
      held
        .map(({ bundle, notification }) => this.viewWith(bundle.id, notification, loaded))
        .filter(isWanted),
    );
  }

  /** Notifications numbered `from` to `to`, with their events: what the index takes in. */
  *between(
    from: number,
    to: number,
  ): Generator<{ notification: Notification; events: StoredEvent[] }> {
    const held = this.bundles
      .holding(from, to)
      .flatMap((bundle) =>
        bundle.notifications
          .filter(({ seq }) => seq >= from && seq <= to)
          .map((notification) => ({ bundle, notification })),
      );
    const loaded = this.loadAll(held);
    for (const { notification } of held)
      yield { notification, events: eventsIn(loaded, notification) };
  }

  /** Whether a notification is on a queue, and not settled yet. */
  isOnItsWay({ bundle, notification }: Held): boolean {
    return this.isSent(bundle.id, notification);
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

  private loadAll(held: readonly Held[]): Preloaded {
    const bundles = new Map(held.map(({ bundle }) => [bundle.id, bundle]));
    return this.load(
      held.map(({ notification }) => notification),
      [...bundles.values()].flatMap(({ inline }) => inline),
    );
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
