import type { Notification, StoredEvent } from "../event";
import type { Last } from "../meta";
import type { StreamStore } from "../store";
import { keysOf, keysOfEvent, keysOfNotification } from "./keys";
import { type Numbered, Postings } from "./postings.io";

/** Blocks of numbers that one look at what is missing reads: each takes some milliseconds. */
const CATCH_UP_BLOCKS = 8;

type Source<Item> = {
  first: () => number;
  read: (from: number, to: number) => Iterable<Item>;
};

/** A notification with its events. */
type Whole = { notification: Notification; events: StoredEvent[] };

/** Finds a stream's events by object and type, and its notifications by those, their destination or flow. */
export class SearchIndex {
  readonly events: Postings;
  readonly notifications: Postings;
  /** Something stored can't be read. */
  private isStuck = false;

  constructor(store: StreamStore, events: Source<StoredEvent>, notifications: Source<Whole>) {
    this.events = new Postings(store, {
      kind: "events",
      first: events.first,
      *read(from, to) {
        for (const event of events.read(from, to))
          yield { seq: event.seq, keys: keysOfEvent(event) };
      },
    } satisfies Numbered);
    this.notifications = new Postings(store, {
      kind: "notifications",
      first: notifications.first,
      *read(from, to) {
        for (const { notification, events: held } of notifications.read(from, to))
          yield { seq: notification.seq, keys: keysOfNotification(notification, held) };
      },
    } satisfies Numbered);
  }

  /** Takes in new events and notifications, in the order of their numbers; `events` has those of all of them. */
  add(
    numbered: readonly StoredEvent[],
    notifications: readonly Notification[],
    events = numbered,
  ): void {
    for (const event of numbered) this.events.add({ seq: event.seq, keys: keysOfEvent(event) });
    const bySeq = new Map(events.map((event) => [event.seq, event]));
    for (const notification of notifications) {
      const held = notification.events.flatMap((seq) => bySeq.get(seq) ?? []);
      this.notifications.add({
        seq: notification.seq,
        keys: keysOfNotification(notification, held),
      });
    }
  }

  forget(): void {
    this.events.forget();
    this.notifications.forget();
  }

  purge(): void {
    this.events.purge();
    this.notifications.purge();
  }

  isBehind(last: Last): boolean {
    if (this.isStuck) return false;
    return this.events.isBehind(last.event) || this.notifications.isBehind(last.notification);
  }

  /** Takes in some of what an earlier version stored, or a commit after a restart left; `isWhole`: before a search,
   * which needs the latest too. */
  catchUp(last: Last, isWhole = false): void {
    if (this.isStuck) return;
    try {
      this.events.catchUp(last.event, CATCH_UP_BLOCKS);
      this.notifications.catchUp(last.notification, CATCH_UP_BLOCKS);
      if (!isWhole) return;
      this.events.takeRest(last.event);
      this.notifications.takeRest(last.notification);
    } catch (error) {
      // What no run covers is searched without one, until the object wakes up again.
      this.isStuck = true;
      console.error(JSON.stringify({ at: "stream.search", error: String(error) }));
    }
  }

  /** A notification took in events by which it is found too. */
  gathered(seq: number, keys: readonly string[]): void {
    this.notifications.addLate(keys, [seq]);
  }

  /** A notification that was kept without a destination has one now. */
  addressed(seqs: readonly number[], destinationId: string): void {
    this.notifications.addLate(keysOf({ destinationId }), seqs);
  }
}
