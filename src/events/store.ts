import type { Millis } from "../delivery/attempt";
import type { Notification, StoredEvent } from "./event";
import { partsOf } from "./plan";
import { nextAtOf } from "./settle";

/** Up to ten notifications that travel, and are settled, together: one row. */
export type Bundle = { id: number; notifications: Notification[] };

/** What the stream's SQL cost since this object woke up. */
export type Meter = { rowsRead: number; rowsWritten: number; purged: number };

type Entry = { key: string; value: string };
type BundleRow = { id: number; body: string };

/** A value is at most 2 MB: half a million UTF-16 units are at most 1.5 MB of UTF-8. */
const PART_UNITS = 500_000;

/**
 * The stream's tables. `ledger` knows every event id (one row an event, no index beside its key);
 * `segments` hold events as they were committed together; `bundles` hold notifications and where each
 * stands; `ordering` holds what must be settled before what.
 */
export class StreamStore {
  readonly meter: Meter = { rowsRead: 0, rowsWritten: 0, purged: 0 };
  private readonly sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.sql = sql;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS ledger (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, date INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS segments (seq INTEGER, part INTEGER, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seq, part)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS bundles (id INTEGER PRIMARY KEY, next_at INTEGER, body TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS bundles_due ON bundles (next_at) WHERE next_at IS NOT NULL;
      CREATE TABLE IF NOT EXISTS ordering (key TEXT, seq INTEGER, PRIMARY KEY (key, seq)) WITHOUT ROWID;
    `);
  }

  meta(key: string): string | null {
    return (
      (this.first("SELECT value FROM meta WHERE key = ?", key)?.["value"] as string | undefined) ??
      null
    );
  }

  /** Values of all keys that begin with `prefix`. */
  metaValues(prefix: string): string[] {
    return this.run<{ value: string }>(
      "SELECT value FROM meta WHERE key >= ? AND key < ? ORDER BY key",
      prefix,
      `${prefix}\u{10ffff}`,
    ).map(({ value }) => value);
  }

  setMeta(key: string, value: string | null): void {
    if (value === null) this.run("DELETE FROM meta WHERE key = ?", key);
    else
      this.run(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        value,
      );
  }

  state(keys: readonly string[]): Record<string, string> {
    const rows = this.run<Entry>(
      "SELECT key, value FROM state WHERE key IN (SELECT value FROM json_each(?))",
      JSON.stringify(keys),
    );
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  }

  /** Keyed state in key order, from after `after`: for sources that must see all of it, page by page. */
  statePage(prefix: string, after: string, limit: number): { key: string; value: string }[] {
    return this.run<Entry>(
      "SELECT key, value FROM state WHERE key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
      after,
      prefix,
      `${prefix}\u{10ffff}`,
      limit,
    );
  }

  setState(key: string, value: string | null): void {
    if (value === null) this.run("DELETE FROM state WHERE key = ?", key);
    else
      this.run(
        "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        value,
      );
  }

  knownIds(ids: readonly string[]): Set<string> {
    const rows = this.run<{ id: string }>(
      "SELECT id FROM ledger WHERE id IN (SELECT value FROM json_each(?))",
      JSON.stringify(ids),
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** The last numbers given out; the purge writes them down before it deletes the rows that tell. */
  lastSeqs(): { event: number; notification: number } {
    const last = this.first<{ n: number | null }>("SELECT max(seq) AS n FROM segments")?.n;
    const events =
      last === null || last === undefined
        ? []
        : this.events(Number(last), Number.MAX_SAFE_INTEGER).events;
    const bundle = this.bundlesBefore(Number.MAX_SAFE_INTEGER, 1)[0];
    const saved: { event: number; notification: number } = JSON.parse(
      this.meta("lastSeqs") ?? '{"event":0,"notification":0}',
    );
    return {
      event: Math.max(saved.event, events.at(-1)?.seq ?? 0),
      notification: Math.max(saved.notification, bundle?.notifications.at(-1)?.seq ?? 0),
    };
  }

  /** Events that were committed together: one ledger row each, one segment row for all. */
  addSegment(events: readonly StoredEvent[], raw: string | undefined, now: Millis): void {
    const first = events[0];
    if (first === undefined) return;
    for (const { id, seq, date } of events)
      this.run("INSERT INTO ledger VALUES (?, ?, ?, ?)", id, seq, now, date);
    this.writeSegment(first.seq, now, { events, raw });
  }

  private writeSegment(
    seq: number,
    at: Millis,
    content: { events: readonly StoredEvent[]; raw?: string | undefined },
  ): void {
    partsOf(JSON.stringify(content), PART_UNITS).forEach((part, index) => {
      this.run("INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?)", seq, index, at, part);
    });
  }

  /** The events numbered `from` to `to`, and vendor bodies by the number of the event they came with. */
  events(from: number, to: number): { events: StoredEvent[]; raws: Map<number, string> } {
    const rows = this.run<{ seq: number; body: string }>(
      `SELECT seq, body FROM segments
       WHERE seq >= ifnull((SELECT max(seq) FROM segments WHERE seq <= ?), 0) AND seq <= ?
       ORDER BY seq, part`,
      from,
      to,
    );
    const texts = new Map<number, string>();
    for (const { seq, body } of rows) texts.set(seq, (texts.get(seq) ?? "") + body);
    const raws = new Map<number, string>();
    const events: StoredEvent[] = [];
    for (const [seq, text] of texts) {
      const content: { events: StoredEvent[]; raw?: string } = JSON.parse(text);
      if (content.raw !== undefined) raws.set(seq, content.raw);
      for (const event of content.events)
        if (event.seq >= from && event.seq <= to) events.push(event);
    }
    return { events, raws };
  }

  /** Events numbered above `after`, oldest first, at most `limit`. */
  eventsAfter(after: number, limit: number): StoredEvent[] {
    const events: StoredEvent[] = [];
    let floor = after + 1;
    while (events.length < limit) {
      const starts = this.run<{ seq: number }>(
        `SELECT DISTINCT seq FROM segments
         WHERE seq >= ifnull((SELECT max(seq) FROM segments WHERE seq <= ?), 0) ORDER BY seq LIMIT 11`,
        floor,
      ).map(({ seq }) => seq);
      const next = starts.length > 10 ? starts.at(-1) : undefined;
      events.push(
        ...this.events(floor, next === undefined ? Number.MAX_SAFE_INTEGER : next - 1).events,
      );
      if (next === undefined) break;
      floor = next;
    }
    return events.slice(0, limit);
  }

  /** Events numbered below `before`, newest first, at most `limit`. */
  eventsBefore(before: number, limit: number): StoredEvent[] {
    const events: StoredEvent[] = [];
    let below = before;
    while (events.length < limit) {
      const starts = this.run<{ seq: number }>(
        "SELECT DISTINCT seq FROM segments WHERE seq < ? ORDER BY seq DESC LIMIT 10",
        below,
      );
      const first = starts.at(-1)?.seq;
      if (first === undefined) break;
      events.push(...this.events(first, below - 1).events.toReversed());
      below = first;
    }
    return events.slice(0, limit);
  }

  /** The number of the event with this id. */
  seqOf(id: string): number | undefined {
    return this.first<{ seq: number }>("SELECT seq FROM ledger WHERE id = ?", id)?.seq;
  }

  *receivedBetween(from: Millis, to: Millis): Generator<{ receivedAt: Millis }> {
    for (const { at } of this.run<{ at: number }>(
      "SELECT at FROM ledger WHERE at BETWEEN ? AND ?",
      from,
      to,
    ))
      yield { receivedAt: at };
  }

  *notificationsBetween(from: Millis, to: Millis): Generator<Notification> {
    for (let below = Number.MAX_SAFE_INTEGER; ;) {
      const bundles = this.bundlesBefore(below, 200);
      for (const { notifications } of bundles)
        for (const notification of notifications)
          if (notification.createdAt >= from && notification.createdAt <= to) yield notification;
      const last = bundles.at(-1);
      if (last === undefined || (last.notifications[0]?.createdAt ?? 0) < from) return;
      below = last.id;
    }
  }

  addBundle(notifications: Notification[]): Bundle {
    const bundle = { id: notifications[0]?.seq ?? 0, notifications };
    this.run(
      "INSERT INTO bundles VALUES (?, ?, ?)",
      bundle.id,
      nextAtOf(notifications),
      JSON.stringify(notifications),
    );
    return bundle;
  }

  saveBundle({ id, notifications }: Bundle): void {
    this.run(
      "UPDATE bundles SET next_at = ?, body = ? WHERE id = ?",
      nextAtOf(notifications),
      JSON.stringify(notifications),
      id,
    );
  }

  bundle(id: number): Bundle | undefined {
    const row = this.first<BundleRow>("SELECT id, body FROM bundles WHERE id = ?", id);
    return row === undefined ? undefined : bundleOf(row);
  }

  bundleOf(seq: number): Bundle | undefined {
    const row = this.first<BundleRow>(
      "SELECT id, body FROM bundles WHERE id <= ? ORDER BY id DESC LIMIT 1",
      seq,
    );
    return row === undefined ? undefined : bundleOf(row);
  }

  notification(seq: number): Notification | undefined {
    return this.bundleOf(seq)?.notifications.find((candidate) => candidate.seq === seq);
  }

  /** Bundles with something due, longest overdue first. */
  dueBundles(now: Millis, except: readonly number[], limit: number): Bundle[] {
    return this.run<BundleRow>(
      `SELECT id, body FROM bundles WHERE next_at <= ? AND id NOT IN (SELECT value FROM json_each(?))
       ORDER BY next_at, id LIMIT ?`,
      now,
      JSON.stringify(except),
      limit,
    ).map(bundleOf);
  }

  nextDue(except: readonly number[]): Millis | null {
    const row = this.first<{ n: number }>(
      `SELECT next_at AS n FROM bundles WHERE next_at IS NOT NULL AND id NOT IN (SELECT value FROM json_each(?))
       ORDER BY next_at LIMIT 1`,
      JSON.stringify(except),
    );
    return row?.n ?? null;
  }

  /** Bundles whose time has not come, in order, from `id`. */
  putOff(id: number, now: Millis, limit: number): Bundle[] {
    return this.run<BundleRow>(
      "SELECT id, body FROM bundles WHERE next_at > ? AND id >= ? ORDER BY id LIMIT ?",
      now,
      id,
      limit,
    ).map(bundleOf);
  }

  bundlesBefore(id: number, limit: number): Bundle[] {
    return this.run<BundleRow>(
      "SELECT id, body FROM bundles WHERE id < ? ORDER BY id DESC LIMIT ?",
      id,
      limit,
    ).map(bundleOf);
  }

  bundlesFrom(id: number, limit: number): Bundle[] {
    return this.run<BundleRow>(
      "SELECT id, body FROM bundles WHERE id >= ? ORDER BY id LIMIT ?",
      id,
      limit,
    ).map(bundleOf);
  }

  firstOfKey(key: string): number | undefined {
    const row = this.first<{ seq: number }>(
      "SELECT seq FROM ordering WHERE key = ? ORDER BY seq LIMIT 1",
      key,
    );
    return row?.seq;
  }

  addOrdering(key: string, seq: number): void {
    this.run("INSERT OR IGNORE INTO ordering VALUES (?, ?)", key, seq);
  }

  removeOrdering(key: string, seq: number): void {
    this.run("DELETE FROM ordering WHERE key = ? AND seq = ?", key, seq);
  }

  /**
   * Takes an object's data out of its events, and out of the vendor bodies and answers that may quote it.
   * @returns the events' numbers and those of their notifications.
   */
  expunge(objectType: string, objectId: string): { events: number[]; notifications: number[] } {
    const events: number[] = [];
    const notifications = new Set<number>();
    const starts = this.run<{ seq: number; at: number }>(
      "SELECT DISTINCT seq, at FROM segments ORDER BY seq",
    );
    starts.forEach(({ seq, at }, index) => {
      const next = starts[index + 1]?.seq;
      const content = this.events(seq, next === undefined ? Number.MAX_SAFE_INTEGER : next - 1);
      const mine = content.events.filter(
        (event) => event.objectType === objectType && event.objectId === objectId,
      );
      if (mine.length === 0) return;
      for (const event of mine) {
        event.data = "null";
        events.push(event.seq);
        for (const held of event.notifications) notifications.add(held);
      }
      this.run("DELETE FROM segments WHERE seq = ?", seq);
      this.writeSegment(seq, at, {
        events: content.events,
        raw: content.raws.has(seq) ? "null" : undefined,
      });
    });
    for (const held of notifications) {
      const bundle = this.bundleOf(held);
      const notification = bundle?.notifications.find(({ seq }) => seq === held);
      if (bundle === undefined || notification === undefined) continue;
      for (const attempt of notification.attempts) attempt.responseBody = "";
      this.saveBundle(bundle);
    }
    return { events, notifications: [...notifications] };
  }

  oldestAt(): Millis | null {
    const row = this.first<{ at: number }>("SELECT at FROM segments ORDER BY seq LIMIT 1");
    return row?.at ?? null;
  }

  /**
   * Deletes settled bundles, segments and event ids received before `before`, `limit` of each at most.
   * Ids dated at or after `keepIdsSince` stay: their source may still show them again.
   * @returns whether anything was left for another round.
   */
  purge(before: Millis, keepIdsSince: Millis, limit: number): boolean {
    const old = this.bundlesFrom(0, limit).filter(
      ({ notifications }) =>
        nextAtOf(notifications) === null &&
        notifications.every(({ createdAt }) => createdAt < before),
    );
    this.setMeta("lastSeqs", JSON.stringify(this.lastSeqs()));
    for (const { id, notifications } of old) {
      for (const { keys = [], seq } of notifications)
        for (const key of keys) this.removeOrdering(key, seq);
      this.run("DELETE FROM bundles WHERE id = ?", id);
    }
    const open = this.bundlesFrom(0, 1)[0]?.notifications.flatMap(({ events }) => events) ?? [];
    const firstNeeded = open.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...open);
    const segments = this.run<{ seq: number }>(
      "SELECT DISTINCT seq FROM segments WHERE at < ? AND seq < ? ORDER BY seq LIMIT ?",
      before,
      firstNeeded,
      limit,
    );
    const last = segments.at(-1);
    if (last !== undefined) this.run("DELETE FROM segments WHERE seq <= ?", last.seq);
    const ids = this.run(
      "DELETE FROM ledger WHERE id IN (SELECT id FROM ledger WHERE at < ? AND date < ? LIMIT ?) RETURNING id",
      before,
      keepIdsSince,
      limit,
    );
    this.meter.purged += old.length + segments.length + ids.length;
    return old.length === limit || segments.length === limit || ids.length === limit;
  }

  private first<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: SqlStorageValue[]
  ): T | undefined {
    return this.run<T>(query, ...bindings)[0];
  }

  private run<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: SqlStorageValue[]
  ): T[] {
    const cursor = this.sql.exec<T>(query, ...bindings);
    const rows = cursor.toArray();
    this.meter.rowsRead += cursor.rowsRead;
    this.meter.rowsWritten += cursor.rowsWritten;
    return rows;
  }
}

function bundleOf({ id, body }: BundleRow): Bundle {
  return { id, notifications: JSON.parse(body) };
}
