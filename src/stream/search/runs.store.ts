import type { StreamStore } from "../store";
import { between, placeOf, posting } from "./postings";

/** Postings of `SIZES[level]` numbers, the block-th so many. */
export type Run = { level: number; block: number };
/** Numbers, both ends included. */
export type Span = { from: number; to: number };

const FACTOR = 16;
export const BLOCK = 256;
const SIZES = [BLOCK, BLOCK * FACTOR, BLOCK * FACTOR * FACTOR] as const;
/** Postings in one row: 256 KB. */
const ROW_POSTINGS = 32_768;

const sizeOf = (level: number): number => SIZES[level] ?? BLOCK;
export const startOf = ({ level, block }: Run): number => block * sizeOf(level) + 1;
export const endOf = (run: Run): number => startOf(run) + sizeOf(run.level) - 1;

/**
 * The runs of the table `postings`: one of 256 numbers is a row; 16 of them become one of 4,096, and 16 of those one of
 * 65,536, which has several rows, each under its first posting, so that one row is read for a key.
 */
export class Runs {
  private readonly store: StreamStore;
  private readonly kind: string;
  /** What the table has, oldest first, without gaps between. Undefined: not read yet. */
  private runs: Run[] | undefined;

  constructor(store: StreamStore, kind: string) {
    this.store = store;
    this.kind = kind;
  }

  /** After a transaction that was rolled back: the table is what counts. */
  forget(): void {
    this.runs = undefined;
  }

  /** All runs, oldest first. */
  all(): Run[] {
    this.runs ??= this.store
      .run<Run>(
        "SELECT DISTINCT level, block FROM postings WHERE kind = ? AND level >= 0",
        this.kind,
      )
      .toSorted((left, right) => startOf(left) - startOf(right));
    return this.runs;
  }

  /** The numbers within a span that a run has for the hash of a key, in order. */
  found(run: Run, hash: number, { from, to }: Span): number[] {
    const start = startOf(run);
    const [least, most] = [posting(hash, from - start), posting(hash, to - start)];
    return this.rowsOf(run, least, most).flatMap((row) =>
      Array.from(between(row, least, most), (one) => start + placeOf(one)),
    );
  }

  /** The numbers that a run has for any of these hashes, which are sorted. */
  foundAny(run: Run, hashes: readonly number[]): number[] {
    const [first = 0, last = 0] = [hashes[0], hashes.at(-1)];
    const rows = this.rowsOf(run, posting(first, 0), posting(last + 1, 0) - 1);
    return rows.flatMap((row) =>
      hashes.flatMap((hash) =>
        Array.from(
          between(row, posting(hash, 0), posting(hash + 1, 0) - 1),
          (one) => startOf(run) + placeOf(one),
        ),
      ),
    );
  }

  /** Writes the run that comes after all others. */
  write(run: Run, unsorted: ArrayLike<number>): void {
    const postings = Float64Array.from(unsorted).toSorted();
    for (let from = 0; from < postings.length || from === 0; from += ROW_POSTINGS)
      this.store.run(
        "INSERT OR REPLACE INTO postings VALUES (?, ?, ?, ?, ?)",
        this.kind,
        run.level,
        run.block,
        from === 0 ? 0 : (postings[from] ?? 0),
        postings.slice(from, from + ROW_POSTINGS).buffer,
      );
    this.all().push(run);
    const isLast = (run.block + 1) % FACTOR === 0 && run.level + 1 < SIZES.length;
    if (isLast) this.merge({ level: run.level + 1, block: (run.block + 1) / FACTOR - 1 });
  }

  /** Deletes the runs that have only numbers below `first`. */
  purge(first: number): void {
    for (const run of this.all().filter((one) => endOf(one) < first)) this.remove(run);
  }

  /** Makes one run of those of the level below that it covers. */
  private merge(run: Run): void {
    const parts = this.all().filter(
      (one) => one.level === run.level - 1 && Math.floor(one.block / FACTOR) === run.block,
    );
    const rows = parts.flatMap((part) =>
      this.rowsOf(part, 0, Number.MAX_SAFE_INTEGER).map((row) =>
        row.map((one) => one + startOf(part) - startOf(run)),
      ),
    );
    const postings = new Float64Array(rows.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const row of rows) {
      postings.set(row, at);
      at += row.length;
    }
    for (const part of parts) this.remove(part);
    this.write(run, postings);
  }

  /** The rows of a run that may have postings from `least` to `most`. */
  private rowsOf({ level, block }: Run, least: number, most: number): Float64Array[] {
    return this.store
      .run<{ body: ArrayBuffer }>(
        `SELECT body FROM postings WHERE kind = ?1 AND level = ?2 AND block = ?3 AND first <= ?5
         AND first >= ifnull((SELECT max(first) FROM postings
           WHERE kind = ?1 AND level = ?2 AND block = ?3 AND first <= ?4), 0) ORDER BY first`,
        this.kind,
        level,
        block,
        least,
        most,
      )
      .map(({ body }) => new Float64Array(body));
  }

  private remove(run: Run): void {
    this.store.run(
      "DELETE FROM postings WHERE kind = ? AND level = ? AND block = ?",
      this.kind,
      run.level,
      run.block,
    );
    this.runs = this.all().filter((one) => one !== run);
  }
}
