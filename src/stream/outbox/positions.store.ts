import { firstKey } from "../key-search.store";
import type { StreamStore } from "../store";
import type { Millis } from "../../values/instant";

/** The most bundles that one purge looks at. */
export const PURGE_BUNDLES = 500;

/** Numbers of notifications without a gap, both included. */
type Range = { from: number; to: number };

/**
 * Where each notification stands among those that are left, the newest at position 0. Numbers have no gaps, except where
 * a purge deleted what was around a bundle of which something is still due. A purge looks at the oldest `PURGE_BUNDLES`
 * only, so all gaps lie before the bundle after those: a position is found without walking, and the total is known.
 */
export class Positions {
  private readonly store: StreamStore;
  private readonly lastSeq: () => number;
  /** What is left, oldest first; the last range is open, as `Infinity`. Undefined: not read since a purge. */
  private ranges: Range[] | undefined;

  /** `lastSeq`: the highest number that a notification got. */
  constructor(store: StreamStore, lastSeq: () => number) {
    this.store = store;
    this.lastSeq = lastSeq;
  }

  /** After a purge. */
  forget(): void {
    this.ranges = undefined;
  }

  /** How many notifications are left. */
  total(): number {
    return this.left().reduce((sum, { from, to }) => sum + to - from + 1, 0);
  }

  /** The number of the notification at a position; undefined beyond the oldest. */
  seqAt(position: number): number | undefined {
    let before = 0;
    for (const { from, to } of this.left().toReversed()) {
      const count = to - from + 1;
      if (position < before + count) return to - (position - before);
      before += count;
    }
    return undefined;
  }

  /** The lowest number of a notification that is left; undefined: none is. */
  firstSeq(): number | undefined {
    return this.store.first<{ id: number }>("SELECT id FROM bundles ORDER BY id LIMIT 1")?.id;
  }

  /** The numbers of all notifications made between two instants lie between these. */
  numbersBetween({ from, to }: { from: Millis; to: Millis }): { from: number; to: number } {
    const later = firstKey(this.store, "bundles", "at", to + 1);
    // Release 0.1.0 did not store when a bundle was made: its rows have 0 there.
    const oldest = this.store.first<{ at: number }>("SELECT at FROM bundles ORDER BY id LIMIT 1");
    const isKnown = oldest?.at !== 0;
    return {
      from: isKnown ? (firstKey(this.store, "bundles", "at", from) ?? Number.MAX_SAFE_INTEGER) : 1,
      to: (later ?? Number.MAX_SAFE_INTEGER) - 1,
    };
  }

  private left(): Range[] {
    this.ranges ??= this.read();
    const last = this.lastSeq();
    return this.ranges
      .filter(({ from }) => from <= last)
      .map(({ from, to }) => ({ from, to: Math.min(to, last) }));
  }

  private read(): Range[] {
    if (this.store.meta("lastSeqs") === null) return [{ from: 1, to: Infinity }];
    const bundles = this.store.run<{ id: number; count: number }>(
      `SELECT id, iif(json_valid(body), json_array_length(body), 1) AS count
       FROM bundles ORDER BY id LIMIT ?`,
      PURGE_BUNDLES + 1,
    );
    const ranges: Range[] = [];
    for (const { id, count } of bundles) {
      const previous = ranges.at(-1);
      if (previous?.to === id - 1) previous.to = id + count - 1;
      else ranges.push({ from: id, to: id + count - 1 });
    }
    const newest = ranges.at(-1);
    if (newest !== undefined && bundles.length > PURGE_BUNDLES) newest.to = Infinity;
    else ranges.push({ from: this.lastSeq() + 1, to: Infinity });
    return ranges;
  }
}
