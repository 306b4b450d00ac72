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

  /** The JSON of all segments that may hold events numbered `from` to `to`. */
  textsOf(from: number, to: number): string[] {
    return [...this.segmentTexts(from, to), ...this.inlineTexts(from, to)];
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

  /** Of the table `segments`: the last one that begins at or before `from`, and those up to `to`; parts joined. */
  private segmentTexts(from: number, to: number): string[] {
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

  /** Of the table `bundles`. `events_to` is the highest event number when a bundle was committed. */
  private inlineTexts(from: number, to: number): string[] {
    const first = firstKey(this.store, "bundles", "events_to", from);
    if (first === undefined) return [];
    const last = firstKey(this.store, "bundles", "events_to", to) ?? Number.MAX_SAFE_INTEGER;
    return this.store
      .run<{ segment: string }>(
        "SELECT segment FROM bundles WHERE id BETWEEN ? AND ? AND segment IS NOT NULL ORDER BY id",
        first,
        last,
      )
      .map(({ segment }) => segment);
  }

  /** The first rows with events numbered `seq` or above, in order: a page, and one more that tells where the next begins. */
  from(seq: number): Row[] {
    const segments = this.segments(
      "seq >= ifnull((SELECT max(seq) FROM segments WHERE seq <= ?1), 0) ORDER BY seq LIMIT ?2",
      seq,
      PAGE_ROWS + 1,
    );
    const id = firstKey(this.store, "bundles", "events_to", seq);
    const inline =
      id === undefined ? [] : this.inline("id >= ? ORDER BY id LIMIT ?", id, PAGE_ROWS + 1);
    return inOrder([...segments, ...inline]).slice(0, PAGE_ROWS + 1);
  }

  /** Rows whose first event is numbered below `seq`, newest first; at most a page. */
  below(seq: number): Row[] {
    const segments = this.segments("seq < ? ORDER BY seq DESC LIMIT ?", seq, PAGE_ROWS);
    const id = firstKey(this.store, "bundles", "events_to", seq) ?? Number.MAX_SAFE_INTEGER;
    const inline = this.inline("id <= ? ORDER BY id DESC LIMIT ?", id, PAGE_ROWS + 1);
    return inOrder([...segments, ...inline.filter(({ first }) => first < seq)])
      .toReversed()
      .slice(0, PAGE_ROWS);
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
