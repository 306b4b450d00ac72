import { instantOfOnceId } from "../event-id";
import type { StoredEvent } from "../event";
import { partsOf } from "../plan";
import type { StreamStore } from "../store";
import { EventRows, PAGE_ROWS, type Segment, segmentOf } from "./rows.store";
import type { Millis } from "../../values/instant";

/** A value is at most 2 MB: half a million UTF-16 units are at most 1.5 MB of UTF-8. */
const PART_UNITS = 500_000;
/** How far a door's clock and this object's may be apart: first what is usual, then what is not. */
const CLOCKS_APART_MS = [2_000, 300_000];
const DAY_MS = 86_400_000;

/** The events of a stream, in the order they came. */
export class EventLog {
  private readonly store: StreamStore;
  private readonly rows: EventRows;

  constructor(store: StreamStore) {
    this.store = store;
    this.rows = new EventRows(store);
  }

  knownIds(ids: readonly string[]): Set<string> {
    if (ids.length === 0) return new Set();
    const rows = this.store.run<{ id: string }>(
      "SELECT id FROM ledger WHERE id IN (SELECT value FROM json_each(?))",
      JSON.stringify(ids),
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Knows these ids from now on: a row an event, but none for what nobody can bring again. */
  enrol(events: readonly StoredEvent[], now: Millis): void {
    for (const { id, seq, date, once } of events)
      if (once !== true)
        this.store.run("INSERT INTO ledger VALUES (?, ?, ?, ?)", id, seq, now, date);
  }

  /** A row, or as many as they need, for events that were committed together. */
  add(segment: Segment, now: Millis): void {
    const first = segment.events[0];
    if (first !== undefined) this.write(first.seq, now, segment);
  }

  /** The events numbered `from` to `to`, and vendor bodies by the number of the event they came with. */
  events(from: number, to: number): { events: StoredEvent[]; raws: Map<number, string> } {
    const texts = this.rows.textsOf(from, to);
    const raws = new Map<number, string>();
    const events: StoredEvent[] = [];
    for (const text of texts) {
      const segment = segmentOf(text);
      const first = segment.events[0];
      if (first !== undefined && segment.raw !== undefined) raws.set(first.seq, segment.raw);
      for (const event of segment.events)
        if (event.seq >= from && event.seq <= to) events.push(event);
    }
    return { events: events.toSorted((left, right) => left.seq - right.seq), raws };
  }

  /** Events numbered above `after`, oldest first, at most `limit`. */
  after(after: number, limit: number): StoredEvent[] {
    const events: StoredEvent[] = [];
    for (let floor: number | undefined = after + 1; floor !== undefined && events.length < limit;) {
      const next: number | undefined = this.rows.from(floor)[PAGE_ROWS]?.first;
      events.push(
        ...this.events(floor, next === undefined ? Number.MAX_SAFE_INTEGER : next - 1).events,
      );
      floor = next;
    }
    return events.slice(0, limit);
  }

  /** Events numbered below `before`, newest first, at most `limit`. */
  before(before: number, limit: number): StoredEvent[] {
    const events: StoredEvent[] = [];
    for (let below = before; events.length < limit;) {
      const first = this.rows.below(below).at(-1)?.first;
      if (first === undefined) break;
      events.push(...this.events(first, below - 1).events.toReversed());
      below = first;
    }
    return events.slice(0, limit);
  }

  /** The event with this id; undefined when it is unknown, or purged. */
  find(id: string): StoredEvent | undefined {
    const seq = this.store.first<{ seq: number }>("SELECT seq FROM ledger WHERE id = ?", id)?.seq;
    if (seq !== undefined) return this.events(seq, seq).events[0];
    const instant = instantOfOnceId(id);
    if (instant === undefined) return undefined;
    for (const apart of CLOCKS_APART_MS) {
      const found = this.rows
        .between(instant - apart, instant + apart)
        .flatMap((row) => this.rows.read(row).events)
        .find((event) => event.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** How many events came when, between two instants. */
  receivedBetween(from: Millis, to: Millis): { at: Millis; count: number }[] {
    return this.rows.between(from, to);
  }

  /** The highest number an event ever had, as far as the rows tell. */
  lastSeq(): number {
    return this.rows.lastSeq();
  }

  oldestAt(): Millis | null {
    return (
      this.store.first<{ at: number }>("SELECT at FROM segments ORDER BY seq LIMIT 1")?.at ?? null
    );
  }

  /**
   * Takes an object's data out of its events, and out of the vendor bodies that may quote it.
   * @returns the events' numbers and those of their notifications.
   */
  expunge(objectType: string, objectId: string): { events: number[]; notifications: number[] } {
    const numbers: number[] = [];
    const notifications = new Set<number>();
    for (const row of this.rows.between(0, Number.MAX_SAFE_INTEGER)) {
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
   * Forgets segments received before `before` and numbered below `needed`, at most `limit`, and their ids;
   * but ids dated at or after `keepIdsSince` stay: their source may still show them again.
   * @returns how many rows went.
   */
  purge(before: Millis, needed: number, keepIdsSince: Millis, limit: number): number {
    const starts = this.store
      .run<{ seq: number }>(
        "SELECT DISTINCT seq FROM segments WHERE at < ? AND seq < ? ORDER BY seq LIMIT ?",
        before,
        needed,
        limit,
      )
      .map(({ seq }) => seq);
    const last = starts.at(-1);
    if (last === undefined) return 0;
    const texts = this.store.run<{ body: string }>(
      "SELECT group_concat(body, '') AS body FROM (SELECT seq, body FROM segments WHERE seq <= ? ORDER BY seq, part) GROUP BY seq",
      last,
    );
    const ids = texts.flatMap(({ body }) => segmentOf(body).events);
    this.store.run("DELETE FROM segments WHERE seq <= ?", last);
    return starts.length + this.forget(ids, keepIdsSince);
  }

  /** Forgets the ids of events that are gone, but those that their source may still show again. */
  forget(events: readonly StoredEvent[], keepIdsSince: Millis): number {
    const ids = events.filter(({ date }) => date < keepIdsSince).map(({ id }) => id);
    if (ids.length > 0)
      this.store.run(
        "DELETE FROM ledger WHERE id IN (SELECT value FROM json_each(?))",
        JSON.stringify(ids),
      );
    return ids.length;
  }

  /** Once a day: ids that outlived their events and are no longer of use. */
  sweep(before: Millis, keepIdsSince: Millis, now: Millis): number {
    if (now - Number(this.store.meta("sweptAt") ?? 0) < DAY_MS) return 0;
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
