import type { Notification } from "../event";
import { type Segment, segmentOf } from "../log/rows.store";
import { nextAtOf } from "../settle";
import type { StreamStore } from "../store";
import type { Millis } from "../../values/instant";

/** Up to ten notifications that travel, and are settled, together: one row. */
export type Bundle = { id: number; notifications: Notification[] };

/** A bundle that is to be sent, with the events it carries in its own row. */
export type Waiting = Bundle & { carried: Segment[] };

type BundleRow = { id: number; body: string };

/**
 * The notifications of a stream and where each stands. A bundle that is due from the start is in no index:
 * bundles leave in the order they came, so the outbox knows how far it is. Only what is put off is in the
 * index of what is due `later`.
 */
export class OutboxStore {
  private readonly store: StreamStore;

  constructor(store: StreamStore) {
    this.store = store;
  }

  /** A row for a bundle, and for the events it came with when it `carries` them; `lastEvent` is the newest number. */
  add(
    notifications: Notification[],
    { now, lastEvent, carries }: { now: Millis; lastEvent: number; carries?: Segment | undefined },
  ): Bundle {
    const bundle = { id: notifications[0]?.seq ?? 0, notifications };
    const nextAt = nextAtOf(notifications);
    this.store.run(
      `INSERT INTO bundles (id, next_at, later, body, at, segment, count, events_to)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      bundle.id,
      nextAt,
      nextAt !== null && nextAt > now ? 1 : 0,
      JSON.stringify(notifications),
      now,
      carries === undefined ? null : JSON.stringify(carries),
      carries?.events.length ?? 0,
      lastEvent,
    );
    return bundle;
  }

  save({ id, notifications }: Bundle): void {
    const nextAt = nextAtOf(notifications);
    this.store.run(
      "UPDATE bundles SET next_at = ?, later = ?, body = ? WHERE id = ?",
      nextAt,
      nextAt === null ? 0 : 1,
      JSON.stringify(notifications),
      id,
    );
  }

  bundle(id: number): Bundle | undefined {
    return this.one("id = ?", id);
  }

  bundleOf(seq: number): Bundle | undefined {
    return this.one("id <= ? ORDER BY id DESC LIMIT 1", seq);
  }

  notification(seq: number): Notification | undefined {
    return this.bundleOf(seq)?.notifications.find((candidate) => candidate.seq === seq);
  }

  /** Bundles that were due from the start, numbered above `after`, in order. */
  fresh(after: number, limit: number): Waiting[] {
    return this.waiting(
      "id > ? AND later = 0 AND next_at IS NOT NULL ORDER BY id LIMIT ?",
      after,
      limit,
    );
  }

  /** What was due from the start and is still unsettled, from after `after` to `upTo`, goes into the index. */
  putOffUnsettled(after: number, upTo: number): void {
    this.store.run(
      "UPDATE bundles SET later = 1 WHERE id > ? AND id <= ? AND later = 0 AND next_at IS NOT NULL",
      after,
      upTo,
    );
  }

  /** Bundles put off until now, longest overdue first. */
  due(now: Millis, except: readonly number[], limit: number): Waiting[] {
    return this.waiting(
      `later = 1 AND next_at <= ? AND id NOT IN (SELECT value FROM json_each(?))
       ORDER BY next_at, id LIMIT ?`,
      now,
      JSON.stringify(except),
      limit,
    );
  }

  /** When the first of what is put off is due. */
  nextDue(except: readonly number[]): Millis | null {
    const row = this.store.first<{ n: number }>(
      `SELECT next_at AS n FROM bundles WHERE later = 1 AND next_at IS NOT NULL
       AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT 1`,
      JSON.stringify(except),
    );
    return row?.n ?? null;
  }

  /** Bundles whose time has not come, in order, from `id`. */
  putOff(id: number, now: Millis, limit: number): Bundle[] {
    // The plus signs keep the planner on the index: by the key it would read everything ever settled.
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
    for (let below = Number.MAX_SAFE_INTEGER; ;) {
      const bundles = this.before(below, 200);
      for (const { notifications } of bundles)
        for (const notification of notifications)
          if (notification.createdAt >= from && notification.createdAt <= to) yield notification;
      const last = bundles.at(-1);
      if (last === undefined || (last.notifications[0]?.createdAt ?? 0) < from) return;
      below = last.id;
    }
  }

  /** The highest number a notification has; 0 when none is left. */
  lastSeq(): number {
    return this.before(Number.MAX_SAFE_INTEGER, 1)[0]?.notifications.at(-1)?.seq ?? 0;
  }

  oldestAt(): Millis | null {
    return (
      this.store.first<{ at: number }>("SELECT at FROM bundles ORDER BY id LIMIT 1")?.at ?? null
    );
  }

  firstOfKey(key: string): number | undefined {
    return this.store.first<{ seq: number }>(
      "SELECT seq FROM ordering WHERE key = ? ORDER BY seq LIMIT 1",
      key,
    )?.seq;
  }

  addOrdering(key: string, seq: number): void {
    this.store.run("INSERT OR IGNORE INTO ordering VALUES (?, ?)", key, seq);
  }

  removeOrdering(key: string, seq: number): void {
    this.store.run("DELETE FROM ordering WHERE key = ? AND seq = ?", key, seq);
  }

  /** Takes what receivers answered out of notifications. */
  forgetAnswers(seqs: readonly number[]): void {
    for (const seq of seqs) {
      const bundle = this.bundleOf(seq);
      const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
      if (bundle === undefined || notification === undefined) continue;
      for (const attempt of notification.attempts) attempt.responseBody = "";
      this.save(bundle);
    }
  }

  /**
   * Deletes settled bundles made before `before`, `limit` at most. @returns them, the events they carried,
   * and from which number on events are still needed by those that stay.
   */
  purge(before: Millis, limit: number): { gone: Bundle[]; carried: Segment[]; needed: number } {
    const gone = this.from(0, limit).filter(
      ({ notifications }) =>
        nextAtOf(notifications) === null &&
        notifications.every(({ createdAt }) => createdAt < before),
    );
    const ids = JSON.stringify(gone.map(({ id }) => id));
    const carried = this.store
      .run<{ segment: string }>(
        "SELECT segment FROM bundles WHERE segment IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        ids,
      )
      .map(({ segment }) => segmentOf(segment));
    for (const { notifications } of gone)
      for (const { keys = [], seq } of notifications)
        for (const key of keys) this.removeOrdering(key, seq);
    if (gone.length > 0)
      this.store.run("DELETE FROM bundles WHERE id IN (SELECT value FROM json_each(?))", ids);
    const open = this.from(0, 1)[0]?.notifications.flatMap(({ events }) => events) ?? [];
    const needed = open.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...open);
    return { gone, carried, needed };
  }

  private one(where: string, ...bindings: SqlStorageValue[]): Bundle | undefined {
    return this.some(where, ...bindings)[0];
  }

  private waiting(where: string, ...bindings: SqlStorageValue[]): Waiting[] {
    return this.store
      .run<BundleRow & { segment: string | null }>(
        `SELECT id, body, segment FROM bundles WHERE ${where}`,
        ...bindings,
      )
      .map(({ id, body, segment }) => ({
        id,
        notifications: notificationsOf(body),
        carried: segment === null ? [] : [segmentOf(segment)],
      }));
  }

  private some(where: string, ...bindings: SqlStorageValue[]): Bundle[] {
    return this.store
      .run<BundleRow>(`SELECT id, body FROM bundles WHERE ${where}`, ...bindings)
      .map(({ id, body }) => ({ id, notifications: notificationsOf(body) }));
  }
}

/**
 * Reads the notifications of a row. It is read for every one that is sent, so only its outline is checked, not
 * every member as `storedJson` would; a list is version 1. @throws on what a later version wrote.
 */
function notificationsOf(text: string): Notification[] {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value;
  throw new Error("The notifications of a row are not of a version known here");
}
