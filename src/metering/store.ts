import { and, between, eq, gte, ne, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { rollups } from "../db/metering";
import { within } from "../db/within";
import { add, type Counts, noCounts } from "./count";
import { BUCKET_MS, IDLE_POLLS, type Rollup, type RollupKey } from "./rollup";

/** Counts wait in memory this long, so that a busy isolate writes few rows. A crash loses what waits. */
const FLUSH_EVERY_MS = 15_000;

const counts = new Map<string, { key: RollupKey; bucket: number; counts: Counts }>();
let flushedAt = 0;

/** Adds to the counts of a key, in memory; `flushCounts` writes them to the database. */
export function count(key: RollupKey, more: Partial<Counts>, now: number): void {
  const bucket = Math.floor(now / BUCKET_MS) * BUCKET_MS;
  const id = JSON.stringify([key.organizationId, bucket, key.source, key.destinationId]);
  const entry = counts.get(id) ?? { key, bucket, counts: noCounts() };
  add(entry.counts, more);
  counts.set(id, entry);
}

/**
 * Adds the counts in memory to the rollups, unless that was done less than `everyMs` ago. One statement, however many
 * keys there are.
 */
export async function flushCounts(
  db: D1Database,
  now: number,
  everyMs = FLUSH_EVERY_MS,
): Promise<void> {
  if (counts.size === 0 || Math.abs(now - flushedAt) < everyMs) return;
  flushedAt = now;
  const rows = [...counts.values()].map(({ key, bucket, counts: c }) => [
    key.organizationId,
    bucket,
    key.source,
    key.destinationId,
    c.polls,
    c.events,
    c.delivered,
    c.failed,
    c.attempts,
    c.rowsWritten,
    c.objectRequests,
    c.queueOperations,
    ...c.durations,
    c.pollsDue,
    c.pollsLate,
  ]);
  counts.clear();
  const width = rows[0]?.length ?? 0;
  const columns = Array.from(
    { length: width },
    (_, index) => `json_extract(value, '$[${index}]')`,
  ).join(", ");
  const names = ADDED.map((name) => `${name} = rollups.${name} + excluded.${name}`).join(", ");
  await db
    .prepare(
      `INSERT INTO rollups (organization_id, bucket, source, destination_id, ${ADDED.join(", ")}) SELECT ${columns} FROM json_each(?) WHERE true ON CONFLICT DO UPDATE SET ${names}`,
    )
    .bind(JSON.stringify(rows))
    .run();
}

/** The columns of a rollup that are added up, in the order of the values in `flushCounts`. */
const ADDED = [
  "polls",
  "events",
  "delivered",
  "failed",
  "attempts",
  "rows_written",
  "object_requests",
  "queue_operations",
  "le_10",
  "le_30",
  "le_100",
  "le_300",
  "le_1000",
  "le_3000",
  "le_10000",
  "longer",
  "polls_due",
  "polls_late",
];

/** An organization's rollups between two instants; with `of`, those of these sources or destinations. */
export async function readRollups(
  db: D1Database,
  organizationId: number,
  from: number,
  to: number,
  of?: { sources: readonly string[]; destinations: readonly string[] },
): Promise<Rollup[]> {
  const rows = await drizzle(db)
    .select()
    .from(rollups)
    .where(
      and(
        eq(rollups.organizationId, organizationId),
        between(rollups.bucket, from, to),
        of &&
          or(within(rollups.source, of.sources), within(rollups.destinationId, of.destinations)),
      ),
    )
    .orderBy(rollups.bucket);
  return rows.map((row) => ({
    organizationId,
    source: row.source,
    destinationId: row.destinationId,
    bucket: row.bucket,
    counts: {
      polls: row.polls,
      pollsDue: row.pollsDue,
      pollsLate: row.pollsLate,
      events: row.events,
      delivered: row.delivered,
      failed: row.failed,
      attempts: row.attempts,
      rowsWritten: row.rowsWritten,
      objectRequests: row.objectRequests,
      queueOperations: row.queueOperations,
      durations: [
        row.le10,
        row.le30,
        row.le100,
        row.le300,
        row.le1000,
        row.le3000,
        row.le10000,
        row.longer,
      ],
    },
  }));
}

/** Sources for which something was counted since an instant, the most recent first. */
export async function activeSources(
  db: D1Database,
  organizationId: number,
  since: number,
  limit: number,
): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ source: rollups.source })
    .from(rollups)
    .where(
      and(
        eq(rollups.organizationId, organizationId),
        gte(rollups.bucket, since),
        ne(rollups.source, IDLE_POLLS),
      ),
    )
    .groupBy(rollups.source)
    .orderBy(sql`max(${rollups.bucket}) DESC`)
    .limit(limit);
  return rows.map(({ source }) => source);
}

/** The statement that deletes at most `limit` rollups from before an instant. */
export const prepareRollupExpiry = (
  db: D1Database,
  before: number,
  limit: number,
): D1PreparedStatement =>
  db
    .prepare(
      "DELETE FROM rollups WHERE rowid IN (SELECT rowid FROM rollups WHERE bucket < ? LIMIT ?)",
    )
    .bind(before, limit);
