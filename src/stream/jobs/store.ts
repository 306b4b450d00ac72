import { and, desc, eq, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { jobs } from "../../db/stream";
import { within } from "../../db/within";
import { streamName } from "../stream-name";

/** A job of streams, with what they did of it together. */
export type StoredJob = {
  id: string;
  kind: string;
  destinationId: string | null;
  total: number | null;
  error: string | null;
  createdAt: number;
  actor: string | null;
  processed: number;
  isDone: boolean;
  /** The one stream that it is over; null: it is over many, or none. */
  stream: string | null;
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
    actor: string;
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

/** A key that is limited sees jobs over these sources alone, and those about one of these destinations. */
type Reach = { sources: readonly string[]; destinations: readonly string[] };

const ofParts = <Value>(what: string): SQL<Value> =>
  sql<Value>`(SELECT ${sql.raw(what)} FROM json_each(${jobs.parts}) AS part)`;

const columns = {
  id: jobs.id,
  kind: jobs.kind,
  destinationId: jobs.destinationId,
  total: jobs.total,
  error: jobs.error,
  createdAt: jobs.createdAt,
  actor: jobs.actor,
  processed: ofParts<number>("coalesce(sum(part.value ->> 'processed'), 0)"),
  isDone: ofParts<number>("coalesce(min(part.value ->> 'done'), 1)").mapWith(Boolean),
  stream: ofParts<string | null>("CASE count(*) WHEN 1 THEN min(part.key) END"),
};

function reached(organizationId: number, reach: Reach | undefined): SQL | undefined {
  const isOurs = eq(jobs.organizationId, organizationId);
  if (reach === undefined) return isOurs;
  const streams = reach.sources.map((source) => streamName({ organizationId, source }));
  const other = sql`(SELECT 1 FROM json_each(${jobs.parts}) AS part WHERE NOT ${within(sql`part.key`, streams)})`;
  return and(isOurs, or(within(jobs.destinationId, reach.destinations), sql`NOT EXISTS ${other}`));
}

export async function readJob(
  db: D1Database,
  organizationId: number,
  id: string,
  reach?: Reach,
): Promise<StoredJob | undefined> {
  const [row] = await drizzle(db)
    .select(columns)
    .from(jobs)
    .where(and(eq(jobs.id, id), reached(organizationId, reach)));
  return row;
}

/** Jobs of an organization, the latest first, from before a place on. */
export async function listJobs(
  db: D1Database,
  organizationId: number,
  reach: Reach | undefined,
  { before, limit }: { before: { at: number; id: string } | null; limit: number },
): Promise<StoredJob[]> {
  const older = before && sql`(${jobs.createdAt}, ${jobs.id}) < (${before.at}, ${before.id})`;
  return drizzle(db)
    .select(columns)
    .from(jobs)
    .where(and(reached(organizationId, reach), older ?? undefined))
    .orderBy(desc(jobs.createdAt), desc(jobs.id))
    .limit(limit);
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
