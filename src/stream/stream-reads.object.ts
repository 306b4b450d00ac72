import { DurableObject } from "cloudflare:workers";
import type { Millis } from "../values/instant";
import { type Tally, tallyOf } from "./analytics";
import type { StoredEvent } from "./event";
import { type DeliveryFilter, deliveryFilter } from "./delivery-filter";
import { type EventFilter, eventFilter } from "./filter";
import type { NotificationView } from "./history";
import { assemble, type Parts } from "./assemble.io";
import { queuesOf } from "./outbox/queue-choice";

/** The requests that only read a stream. `EventStream` adds those that change it. */
export class StreamReads extends DurableObject<Env> {
  private assembled: Parts | undefined;
  /** Requests since this object woke up. */
  protected requests = 0;

  /** The parts of this stream, over its storage; made anew after it was erased. */
  protected get parts(): Parts {
    const { storage } = this.ctx;
    return (this.assembled ??= assemble(
      { sql: storage.sql, transactionSync: (work) => storage.transactionSync(work) },
      {
        db: this.env.DB,
        queues: () => queuesOf(this.env, this.name()),
        name: () => this.name(),
      },
    ));
  }

  /** Nothing in memory is believed any more. */
  protected forget(): void {
    this.assembled = undefined;
  }

  /**
   * Where the source stands, without touching its lease. `lastEvent`: the number of its last event, 0 before the first;
   * objects that still run an earlier version don't tell.
   */
  inspect(): {
    cursor: string | null;
    version: number;
    lastOpenedAt: Millis | null;
    lastEvent?: number;
  } {
    const { commits } = this.counted();
    const { version, value } = commits.cursor();
    const { lastOpenedAt, last } = commits;
    return { cursor: value, version, lastOpenedAt, lastEvent: last.event };
  }

  /** Values of the source's keyed state, by key. */
  readState(keys: string[]): Record<string, string> {
    return this.counted().store.state(keys);
  }

  /** Keyed state of which the key begins with `prefix`, in key order, after the key `after`. */
  readStatePage(prefix: string, after: string, limit: number): { key: string; value: string }[] {
    return this.counted().store.statePage(prefix, after, limit);
  }

  /** Which of these event ids the stream has seen. */
  knownIds(ids: string[]): string[] {
    return [...this.counted().log.knownIds(ids)];
  }

  /**
   * Bodies that were too large for the queue message of their bundle, by notification number: as many as one answer
   * holds. What cannot be composed is missing.
   */
  bodies(bundleId: number, seqs: number[]): Record<number, string> {
    const { bundles, history } = this.counted();
    const held = bundles.bundle(bundleId)?.notifications ?? [];
    return history.bodies(held.flatMap(({ seq }) => (seqs.includes(seq) ? seq : []))).bodies;
  }

  /** One notification with its events; null when there is none of this number. */
  notification(seq: number): NotificationView | null {
    return this.counted().history.notification(seq);
  }

  /** The body a notification is sent with; null when there is none of this number, or it cannot be composed. */
  notificationBody(seq: number): string | null {
    const { bundles, history } = this.counted();
    const found = bundles.find(seq);
    const composed = found && history.body(found.notification);
    return composed?.ok === true ? composed.body : null;
  }

  /** Bodies of notifications, by number; the answer has room for some (`read` of them), the rest is asked for again. */
  notificationBodies(seqs: number[]): { bodies: Record<number, string>; read: number } {
    return this.counted().history.bodies(seqs);
  }

  /** How many notifications are left. */
  total(): number {
    return this.counted().positions.total();
  }

  /** Notifications by their place among all that are left, the newest at 0; and how many are left. */
  notificationsAt({ offset, limit }: { offset: number; limit: number }): {
    views: NotificationView[];
    total: number;
  } {
    const { positions, history } = this.counted();
    const newest = positions.seqAt(offset);
    const views = newest === undefined ? [] : history.notifications(newest + 1, limit, true);
    return { views, total: positions.total() };
  }

  /** When the notifications at these places were made. */
  createdAt(places: number[]): (Millis | null)[] {
    const { positions, bundles } = this.counted();
    return places.map((place) => {
      const seq = positions.seqAt(place);
      return seq === undefined ? null : (bundles.find(seq)?.notification.createdAt ?? null);
    });
  }

  /** Newest first, from below `before`. */
  notifications(request: {
    before: number | null;
    limit: number;
    withEvents: boolean;
  }): NotificationView[] {
    const before = request.before ?? Number.MAX_SAFE_INTEGER;
    return this.counted().history.notifications(before, request.limit, request.withEvents);
  }

  /** Newest first, from below `before`, of those that pass the filter; `next`: the number to go on below, null: at the end. */
  deliveries(request: {
    before: number | null;
    limit: number;
    filter: DeliveryFilter;
    withEvents: boolean;
  }): { views: NotificationView[]; next: number | null } {
    const { before, limit, filter, withEvents } = request;
    const { items, last, isAll } = this.searched().finder.notifications(
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
      deliveryFilter.parse(filter),
      withEvents,
    );
    return { views: items, next: isAll ? null : (last ?? null) };
  }

  /**
   * Oldest first, after `after`; at most `limit` that pass the filter (JSON of an `EventFilter`). `last` is
   * the number to go on from, `head` the highest there is.
   */
  events({ after, limit, filter }: { after: number; limit: number; filter?: string }): {
    events: StoredEvent[];
    last: number;
    head: number;
  } {
    const { finder, commits } = this.searched();
    const head = commits.last.event;
    const wanted = eventFilter.parse(JSON.parse(filter ?? "{}"));
    const { items, last, isAll } = finder.events(
      { from: after + 1, to: head },
      limit,
      wanted,
      false,
    );
    return { events: items, last: Math.max(after, (isAll ? head : last) ?? 0), head };
  }

  /**
   * Newest first, from below `before`, of those that pass; `next`: the number to go on below, null: at the end.
   * `deliveries`: their notifications, if they are asked for.
   */
  eventsBefore(request: {
    before: number | null;
    limit: number;
    filter?: EventFilter;
    withDeliveries?: boolean;
  }): { events: StoredEvent[]; next: number | null; deliveries?: NotificationView[] } {
    const { before, limit, filter, withDeliveries = false } = request;
    const span = { from: 1, to: (before ?? Number.MAX_SAFE_INTEGER) - 1 };
    const wanted = eventFilter.parse(filter ?? {});
    const { finder } = this.searched();
    const { items, last, isAll } = finder.events(span, limit, wanted, true);
    const next = isAll ? null : (last ?? null);
    if (!withDeliveries) return { events: items, next };
    return { events: items, next, deliveries: finder.ofEvents(items) };
  }

  /** The event of a number with its notifications, and the vendor's body that it came with; null when there is none. */
  eventAt(
    seq: number,
  ): { event: StoredEvent; deliveries: NotificationView[]; raw: string | null } | null {
    const { log, finder } = this.counted();
    const found = log.at(seq);
    if (found === undefined) return null;
    const { event, raw = null } = found;
    return { event, deliveries: finder.ofEvents([event]), raw };
  }

  /** The event with this id; null when it is unknown, or purged. */
  event(id: string): StoredEvent | null {
    return this.counted().log.find(id) ?? null;
  }

  /** How many events came between two instants and what became of them, by bucket. */
  tally({ from, to, intervalMs }: { from: number; to: number; intervalMs: number }): Tally[] {
    const { log, bundles } = this.counted();
    return tallyOf(log.receivedBetween(from, to), bundles.between(from, to), intervalMs);
  }

  /** What this stream cost since this object woke up. The bench and the usage pages turn it into money. */
  meter(): {
    rowsRead: number;
    rowsWritten: number;
    purged: number;
    requests: number;
    messages: number;
  } {
    const { store, dispatcher } = this.parts;
    return { ...store.meter, requests: this.requests, messages: dispatcher.messagesSent };
  }

  /** The parts of this stream, for a request, which is counted. */
  protected counted(): Parts {
    this.requests += 1;
    return this.parts;
  }

  /** The parts for a request that searches; what the index has not taken in yet, it takes in some of. */
  protected searched(): Parts {
    const parts = this.counted();
    parts.search.catchUp(parts.commits.last, true);
    return parts;
  }

  protected name(): string {
    const name = this.ctx.id.name ?? this.parts.store.meta("name");
    if (name === null) throw new Error("A stream is reached by its name");
    return name;
  }
}
