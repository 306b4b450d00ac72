import type { Millis } from "../values/instant";
import { chunks } from "../values/lists";
import { add, type Counts, noCounts, valuesOf } from "./count";
import { IDLE_POLLS, type RollupKey, STEPS } from "./rollup";

/** An isolate that counts all the time writes at the latest after this time, or when it has counted so much. */
export const MOST_AGE_MS = 300_000;
const FULL = 500;
/** One in which nothing is counted for this long writes: it may be taken out of memory soon. */
export const QUIET_MS = 25_000;
/** Whoever waits for that stands for all who count within this time. */
export const WATCH_EVERY_MS = 5_000;
/** The most that are counted apart at a time. What is beyond is counted for the organization as a whole. */
const MOST_KEYS = 5_000;
/** The most of them that go into one row. */
const KEYS_A_ROW = 1_000;

/** Counts of one key in the five minutes that begin at `bucket`, as they are stored: see `flushes` in `db/metering.ts`. */
export type Entry = (string | number)[];

/**
 * What an isolate has counted and not yet written, and when it is to be written. A row in the database costs the same
 * however much it holds, so few are written: a busy isolate writes one every five minutes, and one that falls quiet at
 * once. What an isolate holds when it ends all of a sudden is lost: five minutes of a busy one's statistics at most.
 */
export class Pending {
  private readonly entries = new Map<string, { key: RollupKey; bucket: Millis; counts: Counts }>();
  /** Events and tries. */
  private weight = 0;
  /** It has idle polls alone, which are made each minute: nobody comes back for them, they are written with the next. */
  private isIdle = true;
  private oldestAt: Millis = 0;
  private latestAt: Millis = 0;
  private watchedAt: Millis = 0;

  add(key: RollupKey, more: Partial<Counts>, now: Millis): void {
    if (this.entries.size === 0) this.oldestAt = now;
    this.weight += (more.events ?? 0) + (more.attempts ?? 0);
    if (key.source !== IDLE_POLLS) {
      this.isIdle = false;
      this.latestAt = now;
    }
    const bucket = now - (now % STEPS.fine);
    add(this.countsOf(key, bucket), more);
  }

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  /** Whether it is to be written now. The clock of a test may also go back. */
  isDue(now: Millis): boolean {
    if (this.isEmpty) return false;
    const isOld = Math.abs(now - this.oldestAt) >= MOST_AGE_MS;
    return isOld || this.weight >= FULL || this.entries.size >= KEYS_A_ROW;
  }

  /** Whether somebody has to come back after a while and look whether it `isQuiet`. */
  takeWatch(now: Millis): boolean {
    const isWatched = Math.abs(now - this.watchedAt) < WATCH_EVERY_MS;
    if (this.isIdle || isWatched) return false;
    this.watchedAt = now;
    return true;
  }

  /** Nothing was counted after an instant. */
  isQuiet(since: Millis): boolean {
    return !this.isEmpty && this.latestAt <= since;
  }

  /** Takes everything out, as the bodies of rows. */
  take(): Entry[][] {
    const all = [...this.entries.values()].map(({ key, bucket, counts }): Entry => [
      key.organizationId,
      bucket,
      key.source,
      key.destinationId,
      ...valuesOf(counts),
    ]);
    this.entries.clear();
    this.weight = 0;
    this.isIdle = true;
    return chunks(all, KEYS_A_ROW);
  }

  private countsOf(key: RollupKey, bucket: Millis): Counts {
    const { organizationId, source, destinationId } = key;
    const id = JSON.stringify([organizationId, bucket, source, destinationId]);
    const found = this.entries.get(id)?.counts;
    if (found !== undefined) return found;
    if (this.entries.size >= MOST_KEYS && (source !== IDLE_POLLS || destinationId !== ""))
      return this.countsOf({ organizationId, source: IDLE_POLLS, destinationId: "" }, bucket);
    const counts = noCounts();
    this.entries.set(id, { key, bucket, counts });
    return counts;
  }
}
