import { and, eq, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { jobs } from "../../db/stream";
import { within } from "../../db/within";
import { streamName } from "../stream-name";

/** A job as callers see it (`GET /v1/jobs/{id}`): over one stream or many. */
export type JobView = {
  id: string;
  kind: string;
  status: "running" | "done" | "failed";
  processed: number;
  total: number | null;
  error: string | null;
};

/** Stores a job over `streams`, before any of them begins with it. */
export async function insertJob(
  db: D1Database,
  job: {
    id: string;
    organizationId: number;
    kind: string;
    destinationId: string | null;
    total: number | null;
  },
  streams: readonly string[],
  now: number,
): Promise<void> {
  const parts = Object.fromEntries(
    streams.map((stream) => [stream, { processed: 0, done: false }]),
  );
  await drizzle(db)
    .insert(jobs)
    .values({ ...job, parts, createdAt: now });
}

/** Stores the progress of one stream: a total, not an increment, so storing it twice does no harm. */
export async function saveJobPart(
  db: D1Database,
  id: string,
  stream: string,
  part: { processed: number; done: boolean },
): Promise<void> {
  await drizzle(db)
    .update(jobs)
    .set({ parts: sql`json_set(${jobs.parts}, ${`$."${stream}"`}, json(${JSON.stringify(part)}))` })
    .where(eq(jobs.id, id));
}

/** A job; with `reach`, only one over these sources alone, or about one of these destinations. */
export async function readJob(
  db: D1Database,
  organizationId: number,
  id: string,
  reach?: { sources: readonly string[]; destinations: readonly string[] },
): Promise<JobView | undefined> {
  const streams = (reach?.sources ?? []).map((source) => streamName({ organizationId, source }));
  const other = sql`(SELECT 1 FROM json_each(${jobs.parts}) AS part WHERE NOT ${within(sql`part.key`, streams)})`;
  const reached =
    reach && or(within(jobs.destinationId, reach.destinations), sql`NOT EXISTS ${other}`);
  const [row] = await drizzle(db)
    .select()
    .from(jobs)
    .where(and(eq(jobs.id, id), eq(jobs.organizationId, organizationId), reached));
  if (row === undefined) return undefined;
  const parts = Object.values(row.parts);
  return {
    id,
    kind: row.kind,
    status: row.error !== null ? "failed" : parts.every(({ done }) => done) ? "done" : "running",
    processed: parts.reduce((sum, { processed }) => sum + processed, 0),
    total: row.total,
    error: row.error,
  };
}

/** The statement that deletes jobs that began before an instant, at most `limit`. */
export const prepareJobExpiry = (
  db: D1Database,
  before: number,
  limit: number,
): D1PreparedStatement =>
  db
    .prepare("DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE created_at < ? LIMIT ?)")
    .bind(before, limit);
