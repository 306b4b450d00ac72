import type { Notification } from "../event";
import { type Segment, segmentOf } from "../log/event-rows.store";
import { firstKey } from "../key-search.store";
import { earliestDueAt } from "../settle";
import type { Unsettled } from "../meta";
import { OrderingStore } from "./ordering.store";
import { rowText } from "./row-text";
import type { StreamStore } from "../store";
import type { Millis } from "../../values/instant";

/** Up to ten notifications that are one row, one queue message, and settled together. Its id is its first notification's number. */
export type Bundle = { id: number; notifications: Notification[] };

/** A bundle read to be sent, with the events that lie inline in its row. */
export type SendableBundle = Bundle & { inline: Segment[] };

type When = { now: Millis; lastEvent: number; inline?: Segment | undefined; head?: string };

type BundleRow = { id: number; body: string };

/**
 * The table `bundles`: a stream's notifications, each with its state and its attempts. `next_at` is when the first of
 * a bundle's notifications is due; null: none of them is due by itself. `later` = 0 is a fresh bundle, which is sent
 * in the order of ids; 1 is a deferred one, which only the index `bundles_later` finds (see `dispatcher.io.ts`).
 */
export class OutboxStore {
  readonly ordering: OrderingStore;
  /** The id of the newest bundle, if a purge has emptied it: the next bundle takes its row, which costs one row less. */
  private emptied: number | undefined;
  private readonly store: StreamStore;

  constructor(store: StreamStore) {
    this.store = store;
    this.ordering = new OrderingStore(store);
  }

  /**
   * Inserts a bundle. `inline`: the events it was committed with, and the stream's head, if they lie in its row;
   * `lastEvent`: the highest number of an event so far.
   */
  add(notifications: Notification[], { now, lastEvent, inline, head }: When): Bundle {
    const bundle = { id: notifications[0]?.seq ?? 0, notifications };
    const nextAt = earliestDueAt(notifications);
    const { emptied } = this;
    this.emptied = undefined;
    this.store.run(
      emptied === undefined
        ? `INSERT INTO bundles (id, next_at, later, body, at, segment, count, events_to, head)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
        : `UPDATE bundles SET id = ?, next_at = ?, later = ?, body = ?, at = ?, segment = ?, count = ?,
           events_to = ?, head = ? WHERE id = ?`,
      bundle.id,
      nextAt,
      nextAt !== null && nextAt > now ? 1 : 0,
      rowText(notifications),
      now,
      inline === undefined ? null : JSON.stringify(inline),
      inline?.events.length ?? 0,
      lastEvent,
      head ?? null,
      ...(emptied === undefined ? [] : [emptied]),
    );
    return bundle;
  }

  /** Updates a bundle whose notifications changed; if one of them is due again, it is a deferred bundle now. */
  save({ id, notifications }: Bundle): void {
    const nextAt = earliestDueAt(notifications);
    this.store.run(
      "UPDATE bundles SET next_at = ?, later = ?, body = ? WHERE id = ?",
      nextAt,
      nextAt === null ? 0 : 1,
      rowText(notifications),
      id,
    );
  }

  bundle(id: number): Bundle | undefined {
    return this.one("id = ?", id);
  }

  /** A notification, and the bundle it is in. */
  find(seq: number): { bundle: Bundle; notification: Notification } | undefined {
    const bundle = this.one("id <= ? ORDER BY id DESC LIMIT 1", seq);
    const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
    return bundle === undefined || notification === undefined
      ? undefined
      : { bundle, notification };
  }

  /** Newest first, from below `id`, with their inline events. */
  beforeInline(id: number, limit: number): SendableBundle[] {
    return this.sendable("id < ? ORDER BY id DESC LIMIT ?", id, limit);
  }

  /** Bundles with notifications numbered `from` to `to`, with their inline events. */
  holding(from: number, to: number): SendableBundle[] {
    const first = "ifnull((SELECT max(id) FROM bundles WHERE id <= ?1), 0)";
    return this.sendable(`id >= ${first} AND id <= ?2 ORDER BY id`, from, to);
  }

  /** Fresh bundles that are not settled yet, with ids above `after`, in order. */
  fresh(after: number, limit: number): SendableBundle[] {
    return this.sendable(
      "id > ? AND later = 0 AND next_at IS NOT NULL ORDER BY id LIMIT ?",
      after,
      limit,
    );
  }

  /** Makes deferred bundles of those fresh ones, with ids up to `upTo`, that are not settled yet. */
  deferUnsettled({ below, except }: Unsettled, upTo: number): void {
    const set = "UPDATE bundles SET later = 1 WHERE later = 0 AND next_at IS NOT NULL AND";
    this.store.run(`${set} id >= ? AND id <= ?`, below, upTo);
    // One by one: a list in JSON would be read as two rows for each.
    for (const id of except) this.store.run(`${set} id = ?`, id);
  }

  /** Deferred bundles that are due, longest overdue first. */
  due(now: Millis, except: readonly number[], limit: number): SendableBundle[] {
    return this.sendable(
      `later = 1 AND next_at <= ? AND id NOT IN (SELECT value FROM json_each(?))
       ORDER BY next_at, id LIMIT ?`,
      now,
      JSON.stringify(except),
      limit,
    );
  }

  /** When the first deferred bundle is due. */
  nextDue(except: readonly number[]): Millis | null {
    const row = this.store.first<{ n: number }>(
      `SELECT next_at AS n FROM bundles WHERE later = 1 AND next_at IS NOT NULL
       AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT 1`,
      JSON.stringify(except),
    );
    return row?.n ?? null;
  }

  /** Deferred bundles that are not due yet, with ids from `id` on, in order. */
  deferred(id: number, now: Millis, limit: number): Bundle[] {
    // The plus signs keep SQLite on the index `bundles_later`: by the primary key it would read every delivered bundle.
    return this.some("later = 1 AND next_at > ? AND +id >= ? ORDER BY +id LIMIT ?", now, id, limit);
  }

  /** Newest first, from below `id`. */
  before(id: number, limit: number): Bundle[] {
    return this.some("id < ? ORDER BY id DESC LIMIT ?", id, limit);
  }

  /** Oldest first, from `id`. */
  from(id: number, limit: number): Bundle[] {
    return this.some("id >= ? ORDER BY id LIMIT ?", id, limit);
  }

  /** Notifications made between two instants, newest first. */
  *between(from: Millis, to: Millis): Generator<Notification> {
    const later = firstKey(this.store, "bundles", "at", to + 1);
    for (let below = later ?? Number.MAX_SAFE_INTEGER; ;) {
      const bundles = this.before(below, 50);
      for (const { notifications } of bundles)
        for (const notification of notifications)
          if (notification.createdAt >= from && notification.createdAt <= to) yield notification;
      const last = bundles.at(-1);
      if (last === undefined || (last.notifications[0]?.createdAt ?? 0) < from) return;
      below = last.id;
    }
  }

  /** When the oldest bundle was created that a purge has not emptied. */
  oldestAt(): Millis | null {
    return (
      this.store.first<{ at: number }>(
        "SELECT at FROM bundles WHERE body <> '[]' ORDER BY id LIMIT 1",
      )?.at ?? null
    );
  }

  /** After a restart, with the newest bundle that there is. */
  restore(newest: Bundle | undefined): void {
    this.emptied = newest?.notifications.length === 0 ? newest.id : undefined;
  }

  /** Empties what was sent with these notifications and answered to them: an answer may quote what it was sent. */
  clearResponseBodies(seqs: readonly number[]): void {
    for (const seq of seqs) {
      const found = this.find(seq);
      if (found === undefined) continue;
      for (const attempt of found.notification.attempts) {
        attempt.responseBody = "";
        delete attempt.request;
      }
      this.save(found.bundle);
    }
  }

  /**
   * Deletes bundles created before `before` of which nothing is due any more, looking at the oldest `limit`; the newest
   * of all is emptied only, since the stream's head may lie there. @returns them, their inline events, and the lowest
   * event number of the oldest bundle that stays.
   */
  purge(before: Millis, limit: number): { gone: Bundle[]; inline: Segment[]; firstNeeded: number } {
    const gone = this.from(0, limit).filter(
      ({ id, notifications }) =>
        id !== this.emptied &&
        earliestDueAt(notifications) === null &&
        notifications.every(({ createdAt }) => createdAt < before),
    );
    const ids = JSON.stringify(gone.map(({ id }) => id));
    const inline = this.store
      .run<{ segment: string }>(
        "SELECT segment FROM bundles WHERE segment IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        ids,
      )
      .map(({ segment }) => segmentOf(segment));
    for (const { notifications } of gone)
      for (const { keys = [], seq } of notifications)
        for (const key of keys) this.ordering.remove(key, seq);
    if (gone.length > 0) this.delete(ids, gone.at(-1));
    const oldest = this.from(0, 1)[0]?.notifications.flatMap(({ events }) => events) ?? [];
    const firstNeeded = oldest.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...oldest);
    return { gone, inline, firstNeeded };
  }

  private delete(ids: string, last: Bundle | undefined): void {
    const newest = this.before(Number.MAX_SAFE_INTEGER, 1)[0]?.id ?? 0;
    if (last?.id === newest) {
      this.emptied = newest;
      this.store.run(
        "UPDATE bundles SET body = '[]', segment = NULL, count = 0 WHERE id = ?",
        newest,
      );
    }
    this.store.run(
      "DELETE FROM bundles WHERE id IN (SELECT value FROM json_each(?)) AND id <> ?",
      ids,
      newest,
    );
  }

  private one(where: string, ...bindings: SqlStorageValue[]): Bundle | undefined {
    return this.some(where, ...bindings)[0];
  }

  private sendable(where: string, ...bindings: SqlStorageValue[]): SendableBundle[] {
    return this.store
      .run<BundleRow & { segment: string | null }>(
        `SELECT id, body, segment FROM bundles WHERE ${where}`,
        ...bindings,
      )
      .map(({ id, body, segment }) => ({
        id,
        notifications: notificationsOf(body),
        inline: segment === null ? [] : [segmentOf(segment)],
      }));
  }

  private some(where: string, ...bindings: SqlStorageValue[]): Bundle[] {
    return this.store
      .run<BundleRow>(`SELECT id, body FROM bundles WHERE ${where}`, ...bindings)
      .map(({ id, body }) => ({ id, notifications: notificationsOf(body) }));
  }
}

/**
 * Reads the notifications of a row. This runs for every delivery, so it only checks that there is a list (which is
 * version 1), not every member as `storedJson` would. @throws on what a later version wrote.
 */
function notificationsOf(text: string): Notification[] {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value;
  throw new Error("The notifications of a row are not of a version known here");
}
