import type { StreamStore } from "../store";
import { LatePostings } from "./late-postings.store";
import { hashOf, inAll, placeOf, posting } from "./postings";
import { BLOCK, endOf, type Run, Runs, type Span, startOf } from "./runs.store";

/** Events or notifications of a stream, which are numbered without gaps. */
export type Numbered = {
  kind: "events" | "notifications";
  /** The lowest number that is left; above the highest, when none is. */
  first: () => number;
  /** The keys of those numbered `from` to `to`. */
  read: (from: number, to: number) => Iterable<Keyed>;
};
export type Keyed = { seq: number; keys: readonly string[] };

/** The numbers that got a key later, by key. */
type Late = ReadonlyMap<string, readonly number[]>;

/**
 * Which numbers have a key. An index with a row for each key would double what an event costs. So the keys of 256 numbers
 * are written as one row, a run, when the last of them is there, and runs are merged (`runs.store.ts`): an event costs
 * less than a hundredth of a row. A key is looked for in about thirty runs at most, and in memory among the numbers after
 * the last run.
 *
 * What an earlier version stored has no runs: `catchUp` writes them, some at a time, and until then `candidates` are all
 * numbers that no run covers.
 */
export class Postings {
  private readonly source: Numbered;
  private readonly runs: Runs;
  private readonly late: LatePostings;
  /** The numbers after the last full block, as far as this object knows them. */
  private pending: { from: number; next: number; postings: number[] } | undefined;

  constructor(store: StreamStore, source: Numbered) {
    this.source = source;
    this.runs = new Runs(store, source.kind);
    this.late = new LatePostings(store, source.kind);
  }

  /** After a transaction that was rolled back. */
  forget(): void {
    this.runs.forget();
    this.pending = undefined;
  }

  /** Takes in what was numbered next; writes a run when it fills a block. */
  add({ seq, keys }: Keyed): void {
    if (this.pending?.next !== seq)
      this.pending = (seq - 1) % BLOCK === 0 ? { from: seq, next: seq, postings: [] } : undefined;
    const { pending } = this;
    if (pending === undefined) return;
    for (const key of keys) pending.postings.push(posting(hashOf(key), seq - pending.from));
    pending.next += 1;
    if (seq % BLOCK !== 0) return;
    if (this.next() === pending.from)
      this.runs.write({ level: 0, block: seq / BLOCK - 1 }, pending.postings);
    this.pending = undefined;
  }

  /** Numbers have keys that they had not when they were taken in. */
  addLate(keys: readonly string[], seqs: readonly number[]): void {
    for (const key of keys) this.late.add(hashOf(key), seqs);
  }

  /** Whether numbers up to `last` fill a block of which there is no run. */
  isBehind(last: number): boolean {
    return this.next() + BLOCK - 1 <= last;
  }

  /** Writes at most `most` runs that are missing. */
  catchUp(last: number, most: number): void {
    for (let written = 0; written < most && this.isBehind(last); written += 1) {
      const from = this.next();
      const postings = this.postingsOf(from, from + BLOCK - 1);
      this.runs.write({ level: 0, block: (from - 1) / BLOCK }, postings);
    }
  }

  /** Takes in the numbers after the last full block, up to `last`, if this object has not seen them come. */
  takeRest(last: number): void {
    const from = this.next();
    if (this.isBehind(last) || last < from || this.pending?.next === last + 1) return;
    this.pending = { from, next: last + 1, postings: this.postingsOf(from, last) };
  }

  /** Numbers `from` to `to` that may have all of `keys`, in order; `isDown`: the highest first. */
  *candidates(keys: readonly string[], { from, to }: Span, isDown: boolean): Generator<number> {
    const runs = keys.length === 0 ? [] : this.runs.all();
    const late: Late = new Map(keys.map((key) => [key, this.late.of(hashOf(key), to)]));
    const areas = [
      ...runs.map((run) => ({ run, from: startOf(run), to: endOf(run) })),
      { run: undefined, from: runs.length === 0 ? 1 : this.next(), to },
    ].filter((area) => area.from <= to && area.to >= from);
    for (const { run, ...area } of isDown ? areas.toReversed() : areas) {
      const span = { from: Math.max(from, area.from), to: Math.min(to, area.to) };
      const found =
        run === undefined ? this.inRest(keys, span, late) : this.inRun(run, keys, span, late);
      if (found !== undefined) yield* isDown ? found.toReversed() : found;
      else if (isDown) for (let seq = span.to; seq >= span.from; seq -= 1) yield seq;
      else for (let seq = span.from; seq <= span.to; seq += 1) yield seq;
    }
  }

  /** Deletes what is only about numbers that a purge deleted. */
  purge(): void {
    const first = this.source.first();
    this.runs.purge(first);
    this.late.purge(first);
  }

  /** The number with which the next run begins. */
  private next(): number {
    const last = this.runs.all().at(-1);
    if (last !== undefined) return endOf(last) + 1;
    return Math.floor((this.source.first() - 1) / BLOCK) * BLOCK + 1;
  }

  private postingsOf(from: number, to: number): number[] {
    return [...this.source.read(from, to)].flatMap(({ seq, keys }) =>
      keys.map((key) => posting(hashOf(key), seq - from)),
    );
  }

  /** Of the numbers after the last run; undefined: they, or their keys, are not known. */
  private inRest(keys: readonly string[], span: Span, late: Late): number[] | undefined {
    const { pending } = this;
    if (keys.length === 0 || pending === undefined) return undefined;
    if (pending.from > span.from || pending.next <= span.to) return undefined;
    const lists = keys.map((key) => {
      const least = posting(hashOf(key), 0);
      const own = pending.postings.filter((one) => one >= least && one < least + BLOCK);
      const seqs = own.map((one) => pending.from + placeOf(one));
      return withLate(seqs, late.get(key), span);
    });
    return inAll(lists).filter((seq) => seq >= span.from && seq <= span.to);
  }

  private inRun(run: Run, keys: readonly string[], span: Span, late: Late): number[] {
    let found: number[] | undefined;
    for (const key of keys) {
      const own = withLate(this.runs.found(run, hashOf(key), span), late.get(key), span);
      found = found === undefined ? own : inAll([found, own]);
      if (found.length === 0) break;
    }
    return found ?? [];
  }
}

/** Numbers with those of `late` that lie within a span, in order. */
function withLate(seqs: number[], late: readonly number[] = [], { from, to }: Span): number[] {
  const more = late.filter((seq) => seq >= from && seq <= to);
  if (more.length === 0) return seqs;
  return [...new Set([...seqs, ...more])].toSorted((left, right) => left - right);
}
