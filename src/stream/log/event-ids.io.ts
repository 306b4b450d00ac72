import { hashOf, placeOf, posting } from "../search/postings";
import { BLOCK, Runs } from "../search/runs.store";
import type { StreamStore } from "../store";

/**
 * Which events may have an id: their numbers, by a hash of the id. A row for each id would be half of what an event costs.
 * So the hashes of 256 events are one row, a run, as in the index for searches; those of the latest events are in the
 * stream's head. A hash may be that of another id: who asks compares the event.
 *
 * Events of before this version have their ids in the table `ledger`, and no run.
 */
export class EventIds {
  private readonly runs: Runs;
  /** Of the block that is not full yet. */
  private pending: { block: number; postings: number[] } = { block: 0, postings: [] };

  constructor(store: StreamStore) {
    this.runs = new Runs(store, "ids");
  }

  /** The latest ids, for the head. */
  get text(): string {
    const { block, postings } = this.pending;
    return `${block}:${Buffer.from(Float64Array.from(postings).buffer).toString("base64")}`;
  }

  /** Begins with what the head has; after a transaction that was rolled back too. */
  restore(text: string): void {
    const [block = "", postings = ""] = text.split(":");
    const bytes = Uint8Array.from(Buffer.from(postings, "base64"));
    this.pending = { block: Number(block), postings: [...new Float64Array(bytes.buffer)] };
    this.runs.forget();
  }

  /** Takes in new events, in the order of their numbers. */
  add(events: Iterable<{ id: string; seq: number }>): void {
    for (const { id, seq } of events) {
      const block = Math.floor((seq - 1) / BLOCK);
      // Another version of this code may have numbered what lies between.
      if (block !== this.pending.block) this.close(block);
      this.pending.postings.push(posting(hashOf(id), (seq - 1) % BLOCK));
      if (seq % BLOCK === 0) this.close(block + 1);
    }
  }

  /** Numbers of events that may have one of these ids. */
  candidates(ids: Iterable<string>): number[] {
    const hashes = [...new Set(Iterator.from(ids).map(hashOf))].toSorted((a, b) => a - b);
    if (hashes.length === 0) return [];
    const wanted = new Set(hashes);
    const { block, postings } = this.pending;
    return [
      ...this.runs.all().flatMap((run) => this.runs.foundAny(run, hashes)),
      ...postings
        .filter((one) => wanted.has(Math.floor(one / posting(1, 0))))
        .map((one) => block * BLOCK + 1 + placeOf(one)),
    ];
  }

  /** Deletes the runs that have only numbers below `first`. */
  purge(first: number): void {
    this.runs.purge(first);
  }

  private close(next: number): void {
    const { block, postings } = this.pending;
    if (postings.length > 0) this.runs.write({ level: 0, block }, postings);
    this.pending = { block: next, postings: [] };
  }
}
