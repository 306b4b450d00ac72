import { waitUntil } from "cloudflare:workers";
import type { Millis } from "../values/instant";
import type { Counts } from "./count";
import { type Flush, flushOf, insertFlushes } from "./flushes.store";
import { Pending, QUIET_MS, WATCH_EVERY_MS } from "./pending";
import type { RollupKey } from "./rollup";

/** Rows that the database did not take, and that are offered again with the next: no more than so many. */
const MOST_UNSENT = 10;

/** What a write may take. */
const WRITE_MS = 3_000;

const pending = new Pending();
let unsent: Flush[] = [];
let writtenAt: Millis = 0;

/** Adds to the counts of a key, in memory; `watchCounts` or `writeCounts` brings them to the database. */
export const count = (key: RollupKey, more: Partial<Counts>, now: Millis): void =>
  pending.add(key, more, now);

/** Writes what this isolate has counted, unless it wrote less than `everyMs` ago. */
export async function writeCounts(db: D1Database, now: Millis, everyMs = 0): Promise<void> {
  if (pending.isEmpty || Math.abs(now - writtenAt) < everyMs) return;
  writtenAt = now;
  const rows = [...unsent, ...pending.take().map((entries) => flushOf(entries, now))];
  unsent = [];
  try {
    await insertFlushes(db, rows);
  } catch (error) {
    // Nobody's request fails because it could not be counted. A row that did arrive is not taken twice.
    unsent = [...unsent, ...rows].slice(-MOST_UNSENT);
    console.error(JSON.stringify({ at: "metering", error: String(error) }));
  }
}

/**
 * Writes what is due behind the invocation that counted, which may go on for `leftMs`. If it isn't due yet, somebody comes
 * back when this isolate may have fallen quiet, unless it has counted idle polls alone: these wait for the next. Waiting
 * costs nothing: the platform lets an invocation go on for 30 s after its answer. One that has less time left waits for
 * itself alone, for as long as it can.
 */
export function watchCounts(db: D1Database, leftMs = 30_000): void {
  const now = Date.now();
  const waitMs = Math.min(QUIET_MS, Math.max(0, leftMs - WRITE_MS));
  if (pending.isDue(now)) waitUntil(writeCounts(db, now));
  else if (waitMs < QUIET_MS / 2) waitUntil(writeWhenQuiet(db, waitMs, now));
  else if (pending.takeWatch(now)) waitUntil(writeWhenQuiet(db, waitMs, now + WATCH_EVERY_MS));
}

async function writeWhenQuiet(db: D1Database, waitMs: number, since: Millis): Promise<void> {
  await scheduler.wait(waitMs);
  if (pending.isQuiet(since)) await writeCounts(db, Date.now());
}
