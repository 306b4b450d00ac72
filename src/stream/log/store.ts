import { createdAtOfOnceId } from "../event-id";
import type { StoredEvent } from "../event";
import { partsOf } from "../plan";
import { EventCollector, type EventPage } from "./event-page";
import type { StreamStore } from "../store";
import { partition, rangesOf } from "../../values/lists";
import { EventIds } from "./event-ids.io";
import { EventRows, PAGE_ROWS, type Segment, segmentOf } from "./event-rows.store";
import type { Millis } from "../../values/instant";

/** A row of an object's SQLite holds at most 2 MB; half a million UTF-16 units are at most 1.5 MB of UTF-8. */
const PART_UNITS = 500_000;
/** How far the clock that made an id and this object's may be apart: the usual, then the worst case. */
const CLOCKS_APART_MS = [2_000, 300_000];
const DAY_MS = 86_400_000;

/** Events that are this near to one another are read together. */
const NEAR_EVENTS = 64;

/**
 * The event log of a stream: events in the order they were committed, numbered from 1 without gaps (`seq`), and their ids,
 * so that the same change seen again is recognised (`event-ids.io.ts`). The ledger holds the ids of events that were
 * purged and may be shown again, and of those that a version before committed.
 */
export class EventLog {
  private readonly store: StreamStore;
  private readonly rows: EventRows;
  readonly ids: EventIds;

  constructor(store: StreamStore) {
    this.store = store;
    this.rows = new EventRows(store);
    this.ids = new EventIds(store);
  }

  /** Which of these ids events have, or had before they were purged. */
  knownIds(ids: readonly string[]): Set<string> {
    if (ids.length === 0) return new Set();
    const rows = this.store.run<{ id: string }>(
      "SELECT id FROM ledger WHERE id IN (SELECT value FROM json_each(?))",
      JSON.stringify(ids),
    );
    const known = new Set(rows.map(({ id }) => id));
    const wanted = new Set(ids).difference(known);
    for (const { id } of this.withIds(wanted)) known.add(id);
    return known;
  }

  /** The events that have one of these ids, as far as they have not been purged. */
  private withIds(ids: ReadonlySet<string>): StoredEvent[] {
    return rangesOf(this.ids.candidates(ids), NEAR_EVENTS).flatMap(({ from, to }) =>
      this.events(from, to).events.filter(({ id }) => ids.has(id)),
    );
  }

  /** Inserts a segment: one row, or several parts when it is large. */
  add(segment: Segment, now: Millis): void {
    const first = segment.events[0];
    if (first !== undefined) this.write(first.seq, now, segment);
  }

  /** The events numbered `from` to `to`, and the vendors' bodies, each by the number of the first event it came with. */
  events(from: number, to: number): { events: StoredEvent[]; raws: Map<number, string> } {
    const raws = new Map<number, string>();
    const events: StoredEvent[] = [];
    const take = (texts: readonly string[]): void => {
      for (const text of texts) {
        const segment = segmentOf(text);
        const first = segment.events[0];
        if (first !== undefined && segment.raw !== undefined) raws.set(first.seq, segment.raw);
        for (const event of segment.events)
          if (event.seq >= from && event.seq <= to) events.push(event);
      }
    };
    take(this.rows.segmentTexts(from, to));
    if (events.length < to - from + 1) take(this.rows.inlineTexts(from, to));
    return { events: events.toSorted((left, right) => left.seq - right.seq), raws };
  }

  /** Events numbered above `after`, oldest first, at most `limit`. */
  after(after: number, limit: number): EventPage {
    const found = new EventCollector(limit);
    let from: number | undefined = after + 1;
    while (from !== undefined) {
      const next: number | undefined = this.rows.pageUp(from);
      const page = this.collect(found, from, (next ?? Number.MAX_SAFE_INTEGER) - 1, false);
      if (page.more) return page;
      from = next;
    }
    return found.page(false);
  }

  /** Events numbered `from` to `to`, the newest first if `isDown`: as many as one answer holds. */
  some({ from, to }: { from: number; to: number }, isDown: boolean): EventPage {
    return this.collect(new EventCollector(Infinity), from, to, isDown);
  }

  /** Reads row by row, so that no more is in memory than an answer and a row. */
  private collect(found: EventCollector, from: number, to: number, isDown: boolean): EventPage {
    const rows = this.rows.holding(from, to);
    for (const row of isDown ? rows.toReversed() : rows) {
      if (found.isFull) return found.page(true);
      const { events } = this.rows.read(row);
      for (const event of isDown ? events.toReversed() : events)
        if (event.seq >= from && event.seq <= to) found.add(event);
    }
    return found.page(false);
  }

  /** The event with this id; undefined when it is unknown, or purged. */
  find(id: string): StoredEvent | undefined {
    const seq = this.store.first<{ seq: number }>("SELECT seq FROM ledger WHERE id = ?", id)?.seq;
    const [event] = seq === undefined ? this.withIds(new Set([id])) : this.events(seq, seq).events;
    if (event !== undefined || seq !== undefined) return event;
    // A version before kept no such id.
    const createdAt = createdAtOfOnceId(id);
    if (createdAt === undefined) return undefined;
    for (const apartMs of CLOCKS_APART_MS) {
      const found = this.rows
        .between(createdAt - apartMs, createdAt + apartMs)
        .flatMap((row) => this.rows.read(row).events)
        .find((event) => event.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The event of a number, and the vendor's body that it came with; undefined when it is unknown, or purged. */
  at(seq: number): { event: StoredEvent; raw: string | undefined } | undefined {
    for (const row of this.rows.holding(seq, seq)) {
      const { events, raw } = this.rows.read(row);
      const event = events.find((one) => one.seq === seq);
      if (event !== undefined) return { event, raw };
    }
    return undefined;
  }

  /** How many events came at which instant, between two instants. */
  receivedBetween(from: Millis, to: Millis): { at: Millis; count: number }[] {
    return this.rows.between(from, to);
  }

  /** The lowest number of an event that may be left; undefined: none is. */
  firstSeq(): number | undefined {
    return this.rows.firstSeq();
  }

  /** The numbers of all events that came between two instants lie between these. */
  numbersBetween(from: Millis, to: Millis): { from: number; to: number } {
    return this.rows.numbersBetween(from, to);
  }

  /** The highest number an event ever had, as far as the remaining rows tell. */
  lastSeq(): number {
    return this.rows.lastSeq();
  }

  /** When the oldest segment was committed. */
  oldestAt(): Millis | null {
    return (
      this.store.first<{ at: number }>("SELECT at FROM segments ORDER BY seq LIMIT 1")?.at ?? null
    );
  }

  /**
   * Replaces an object's data by `null` in its events, and the vendors' bodies that came with them, which may quote
   * it. `candidates`: the numbers that its events may have. @returns the numbers of these events and of their notifications.
   */
  expunge(
    objectType: string,
    objectId: string,
    candidates: Iterable<number>,
  ): { events: number[]; notifications: number[] } {
    const numbers: number[] = [];
    const notifications = new Set<number>();
    const rows = rangesOf(candidates, PAGE_ROWS).flatMap(({ from, to }) =>
      this.rows.holding(from, to),
    );
    const once = new Map(rows.map((row) => [`${row.table} ${row.key}`, row]));
    for (const row of once.values()) {
      const { events, raw } = this.rows.read(row);
      const mine = events.filter(
        (event) => event.objectType === objectType && event.objectId === objectId,
      );
      if (mine.length === 0) continue;
      for (const event of mine) {
        event.data = "null";
        numbers.push(event.seq);
        for (const seq of event.notifications) notifications.add(seq);
      }
      const segment: Segment = { events, ...(raw === undefined ? {} : { raw: "null" }) };
      if (row.table === "bundles")
        this.store.run(
          "UPDATE bundles SET segment = ? WHERE id = ?",
          JSON.stringify(segment),
          row.key,
        );
      else {
        this.store.run("DELETE FROM segments WHERE seq = ?", row.key);
        this.write(row.key, row.at, segment);
      }
    }
    return { events: numbers, notifications: [...notifications] };
  }

  /**
   * Deletes segments committed before `before` and numbered below `firstNeeded`, at most `limit`, and the ids of
   * their events as `deleteIds` does. @returns how many rows were deleted.
   */
  purge(before: Millis, firstNeeded: number, keepIdsSince: Millis, limit: number): number {
    const starts = this.store
      .run<{ seq: number }>(
        "SELECT DISTINCT seq FROM segments WHERE at < ? AND seq < ? ORDER BY seq LIMIT ?",
        before,
        firstNeeded,
        limit,
      )
      .map(({ seq }) => seq);
    const last = starts.at(-1);
    if (last === undefined) return 0;
    const texts = this.store.run<{ body: string }>(
      "SELECT group_concat(body, '') AS body FROM (SELECT seq, body FROM segments WHERE seq <= ? ORDER BY seq, part) GROUP BY seq",
      last,
    );
    const events = texts.flatMap(({ body }) => segmentOf(body).events);
    this.store.run("DELETE FROM segments WHERE seq <= ?", last);
    return starts.length + this.deleteIds(events, keepIdsSince);
  }

  /**
   * Forgets the ids of purged events. Ids of events dated at or after `keepIdsSince` go to the ledger: the source may
   * show these changes again, and they must still be recognised. @returns how many were forgotten.
   */
  deleteIds(events: readonly StoredEvent[], keepIdsSince: Millis): number {
    const [kept, gone] = partition(events, ({ date }) => date >= keepIdsSince);
    for (const { id, seq, receivedAt, date, once } of kept)
      if (once !== true)
        this.store.run(
          "INSERT OR IGNORE INTO ledger VALUES (?, ?, ?, ?)",
          id,
          seq,
          receivedAt,
          date,
        );
    if (gone.length > 0 && this.hasLedger)
      this.store.run(
        "DELETE FROM ledger WHERE id IN (SELECT value FROM json_each(?))",
        JSON.stringify(gone.map(({ id }) => id)),
      );
    return gone.length;
  }

  private get hasLedger(): boolean {
    return this.store.first("SELECT seq FROM ledger LIMIT 1") !== undefined;
  }

  /** Once a day: deletes ids that `deleteIds` kept, once `keepIdsSince` has passed them. */
  deleteExpiredIds(before: Millis, keepIdsSince: Millis, now: Millis): number {
    if (!this.hasLedger || now - Number(this.store.meta("sweptAt") ?? 0) < DAY_MS) return 0;
    this.store.setMeta("sweptAt", String(now));
    return this.store.run(
      "DELETE FROM ledger WHERE at < ? AND date < ? RETURNING seq",
      before,
      keepIdsSince,
    ).length;
  }

  private write(seq: number, at: Millis, segment: Segment): void {
    partsOf(JSON.stringify(segment), PART_UNITS).forEach((part, index) => {
      this.store.run(
        "INSERT INTO segments (seq, part, at, body, count) VALUES (?, ?, ?, ?, ?)",
        seq,
        index,
        at,
        part,
        index === 0 ? segment.events.length : 0,
      );
    });
  }
}
