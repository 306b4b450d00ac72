import type { StreamStore } from "../store";

/** The level of such rows: their block is the hash of a key, and `first` the lowest of the numbers they hold. */
const LATE = -1;
/** The numbers of a row are at most this far apart. */
const SPAN = 1_000;

/**
 * Postings of numbers that got a key after they were taken in, as a kept notification does that is sent after all: rows of
 * the table `postings` that are found by the hash of the key.
 */
export class LatePostings {
  private readonly store: StreamStore;
  private readonly kind: string;

  constructor(store: StreamStore, kind: string) {
    this.store = store;
    this.kind = kind;
  }

  /** `seqs`: at most `SPAN` apart. */
  add(hash: number, seqs: readonly number[]): void {
    const sorted = Float64Array.from(seqs).toSorted();
    const [first] = sorted;
    if (first === undefined) return;
    this.store.run(
      "INSERT OR REPLACE INTO postings VALUES (?, ?, ?, ?, ?)",
      this.kind,
      LATE,
      hash,
      first,
      sorted.buffer,
    );
  }

  /** The numbers that got a key of this hash, in order; of some that are above `to`, too. */
  of(hash: number, to: number): number[] {
    return this.store
      .run<{ body: ArrayBuffer }>(
        "SELECT body FROM postings WHERE kind = ? AND level = ? AND block = ? AND first <= ? ORDER BY first",
        this.kind,
        LATE,
        hash,
        to,
      )
      .flatMap(({ body }) => [...new Float64Array(body)]);
  }

  /** Deletes rows that have only numbers below `first`. */
  purge(first: number): void {
    this.store.run(
      "DELETE FROM postings WHERE kind = ? AND level = ? AND first < ?",
      this.kind,
      LATE,
      first - SPAN,
    );
  }
}
