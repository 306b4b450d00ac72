import type { StoredEvent } from "../event";
import { isObject } from "../../values/record";
import { versionOf } from "../../values/stored-json";
import { firstKey } from "../key-search.store";
import type { StreamStore } from "../store";
import type { Millis } from "../../values/instant";

/** Events as they were committed together, with the vendor's body if one came with them. */
export type Segment = { events: StoredEvent[]; raw?: string | undefined };

/** A row that holds events: of `segments`, or of `bundles` with inline events. `first`: its first event's number. */
type Row = { table: "segments" | "bundles"; key: number; first: number; at: Millis };

/** Rows that one query reads. */
export const PAGE_ROWS = 32;

/**
 * Finds the rows that hold events. Most lie in `segments`; those of a small commit lie inline in the row of its
 * bundle, in `bundles`. In either table both the event numbers and the instants (`at`) grow with the primary key, so
 * rows are found by searching the keys (`key-search.store.ts`), and neither column needs an index that every commit would pay for.
 */
export class EventRows {
  private readonly store: StreamStore;

  constructor(store: StreamStore) {
    this.store = store;
  }

  /** The highest number an event ever had, as far as the remaining rows tell. */
  lastSeq(): number {
    const inline = this.store.first<{ n: number }>(
      "SELECT events_to AS n FROM bundles ORDER BY id DESC LIMIT 1",
    )?.n;
    const last = this.store.first<{ n: number }>(
      "SELECT seq AS n FROM segments ORDER BY seq DESC LIMIT 1",
    )?.n;
    const texts = last === undefined ? [] : this.segmentTexts(last, last);
    const written = texts.flatMap((text) => segmentOf(text).events.map(({ seq }) => seq));
    return Math.max(0, inline ?? 0, ...written);
  }

  /** The lowest number of an event that may be left; undefined: none is. */
  firstSeq(): number | undefined {
    const segment = this.store.first<{ n: number }>(
      "SELECT seq AS n FROM segments ORDER BY seq LIMIT 1",
    );
    const bundle = this.store.first<{ n: number }>(
      "SELECT events_to - count + 1 AS n FROM bundles ORDER BY id LIMIT 1",
    );
    const found = [segment, bundle].flatMap((row) => (row === undefined ? [] : Math.max(1, row.n)));
    return found.length === 0 ? undefined : Math.min(...found);
  }

  /** The numbers of all events that came between two instants lie between these. */
  numbersBetween(from: Millis, to: Millis): { from: number; to: number } {
    return { from: this.firstSince(from), to: this.firstSince(to + 1) - 1 };
  }

  /** The first number of the rows that were committed at an instant or later; `MAX_SAFE_INTEGER`: there are none. */
  private firstSince(at: Millis): number {
    const segment = firstKey(this.store, "segments", "at", at);
    const id = firstKey(this.store, "bundles", "at", at);
    const inline = this.store.first<{ n: number }>(
      "SELECT events_to - count + 1 AS n FROM bundles WHERE id = ?",
      id ?? 0,
    );
    return Math.min(segment ?? Number.MAX_SAFE_INTEGER, inline?.n ?? Number.MAX_SAFE_INTEGER);
  }

  /** Of the table `segments`, the JSON: of the last one that begins at or before `from`, and of those up to `to`; parts joined. */
  segmentTexts(from: number, to: number): string[] {
    const rows = this.store.run<{ seq: number; body: string }>(
      `SELECT seq, body FROM segments
       WHERE seq >= ifnull((SELECT max(seq) FROM segments WHERE seq <= ?1), 0) AND seq <= ?2
       ORDER BY seq, part`,
      from,
      to,
    );
    const texts = new Map<number, string>();
    for (const { seq, body } of rows) texts.set(seq, (texts.get(seq) ?? "") + body);
    return [...texts.values()];
  }

  /** Of the table `bundles`: the JSON of what lies inline. `events_to` is the highest event number when a bundle was committed. */
  inlineTexts(from: number, to: number): string[] {
    const keys = this.inlineKeys(from, to);
    if (keys === undefined) return [];
    return this.store
      .run<{ segment: string }>(
        "SELECT segment FROM bundles WHERE id BETWEEN ? AND ? AND segment IS NOT NULL ORDER BY id",
        keys.first,
        keys.last,
      )
      .map(({ segment }) => segment);
  }

  /** The first and last row of `bundles` that may hold events numbered `from` to `to`. */
  private inlineKeys(from: number, to: number): { first: number; last: number } | undefined {
    const first = firstKey(this.store, "bundles", "events_to", from);
    if (first === undefined) return undefined;
    const last = this.store.first<{ id: number }>(
      `SELECT id FROM bundles
       WHERE id >= ?1 AND events_to >= min(?2, (SELECT events_to FROM bundles ORDER BY id DESC LIMIT 1))
       ORDER BY id LIMIT 1`,
      first,
      to,
    )?.id;
    return { first, last: last ?? first };
  }

  /** A number above `seq` up to which about a page of rows holds events; undefined: less than a page is left. */
  pageUp(seq: number): number | undefined {
    const segment = this.store.first<{ n: number }>(
      `SELECT seq AS n FROM segments WHERE part = 0 AND seq > ? ORDER BY seq LIMIT 1 OFFSET ${PAGE_ROWS}`,
      seq,
    );
    const id = firstKey(this.store, "bundles", "events_to", seq);
    const bundle = this.store.first<{ n: number }>(
      `SELECT events_to + 1 AS n FROM bundles WHERE id >= ? ORDER BY id LIMIT 1 OFFSET ${PAGE_ROWS}`,
      id ?? Number.MAX_SAFE_INTEGER,
    );
    const ends = [segment, bundle].flatMap((row) => row?.n ?? []);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** Rows that may hold events numbered `from` to `to`, in order. */
  holding(from: number, to: number): Row[] {
    const segments = this.segments(
      "seq >= ifnull((SELECT max(seq) FROM segments WHERE seq <= ?1), 0) AND seq <= ?2 ORDER BY seq",
      from,
      to,
    );
    const end = segments.reduce(
      (next, { first, count }) => (first <= next ? Math.max(next, first + count) : next),
      from,
    );
    const keys = end > to ? undefined : this.inlineKeys(from, to);
    return keys === undefined
      ? segments
      : inOrder([
          ...segments,
          ...this.inline("id BETWEEN ? AND ? ORDER BY id", keys.first, keys.last),
        ]);
  }

  /** Rows committed between two instants, both included, with how many events each holds. */
  between(from: Millis, to: Millis): (Row & { count: number })[] {
    const seq = firstKey(this.store, "segments", "at", from);
    const id = firstKey(this.store, "bundles", "at", from);
    return inOrder([
      ...(seq === undefined
        ? []
        : this.segments(
            "seq BETWEEN ? AND ? ORDER BY seq",
            seq,
            (firstKey(this.store, "segments", "at", to + 1) ?? Number.MAX_SAFE_INTEGER) - 1,
          )),
      ...(id === undefined
        ? []
        : this.inline(
            "id BETWEEN ? AND ? ORDER BY id",
            id,
            (firstKey(this.store, "bundles", "at", to + 1) ?? Number.MAX_SAFE_INTEGER) - 1,
          )),
    ]);
  }

  read({ table, key }: Row): Segment {
    if (table === "segments") return segmentOf(this.segmentTexts(key, key)[0] ?? EMPTY);
    const row = this.store.first<{ segment: string }>(
      "SELECT segment FROM bundles WHERE id = ?",
      key,
    );
    return segmentOf(row?.segment ?? EMPTY);
  }

  private segments(where: string, ...bindings: number[]): (Row & { count: number })[] {
    return this.store
      .run<{ key: number; at: number; count: number }>(
        `SELECT seq AS key, at, count FROM segments WHERE part = 0 AND ${where}`,
        ...bindings,
      )
      .map((row) => ({ ...row, table: "segments", first: row.key }));
  }

  private inline(where: string, ...bindings: number[]): (Row & { count: number })[] {
    return this.store
      .run<{ key: number; at: number; count: number; first: number }>(
        `SELECT id AS key, at, count, events_to - count + 1 AS first FROM bundles
         WHERE segment IS NOT NULL AND ${where}`,
        ...bindings,
      )
      .map((row) => ({ ...row, table: "bundles" }));
  }
}

const EMPTY = '{"events":[]}';

function inOrder<T extends Row>(rows: T[]): T[] {
  return rows.toSorted((left, right) => left.first - right.first);
}

/** A row that a later version of this code wrote: that version will read it, so nothing is decided about it now. */
export class LaterVersion extends Error {}

/**
 * Reads the events of a row. This runs for every delivery, so it only checks the outline and the version, not every
 * member as `storedJson` would. @throws on what a later version wrote.
 */
export function segmentOf(text: string): Segment {
  const value: unknown = JSON.parse(text);
  if (isSegment(value)) return value;
  throw new LaterVersion("The events of a row are not of a version known here");
}

const isSegment = (value: unknown): value is Segment =>
  isObject(value) && versionOf(value) === 1 && Array.isArray(value["events"]);
