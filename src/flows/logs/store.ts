import { and, desc, eq, lt, max, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flows, flowStreams } from "../../db/flows";
import { Cache } from "../../values/cache";

const HOUR_MS = 3_600_000;
const MOST_KNOWN = 5_000;
const MOST_STREAMS = 50;
/** `flowId stream` that this isolate wrote down within the hour. */
const noted = new Cache<string, true>(MOST_KNOWN);

/** Writes down that runs of a flow lie in a stream that is not its user's own; once an hour at most. */
export async function noteStream(
  db: D1Database,
  flowId: string,
  stream: string,
  now: number,
): Promise<void> {
  const key = `${flowId} ${stream}`;
  if (noted.get(key, now) !== undefined) return;
  await drizzle(db)
    .insert(flowStreams)
    .values({ flowId, stream, seenAt: now })
    .onConflictDoUpdate({
      target: [flowStreams.flowId, flowStreams.stream],
      set: { seenAt: now },
      setWhere: sql`${flowStreams.seenAt} < ${now - HOUR_MS}`,
    });
  noted.set(key, true, now + HOUR_MS);
}

/** Streams beside the user's own that runs of their flows lie in, the latest first. */
export async function readFlowStreams(
  db: D1Database,
  userId: number,
  flowId: string | undefined,
): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ stream: flowStreams.stream })
    .from(flowStreams)
    .innerJoin(flows, eq(flows.id, flowStreams.flowId))
    .where(and(eq(flows.userId, userId), flowId === undefined ? undefined : eq(flows.id, flowId)))
    .groupBy(flowStreams.stream)
    .orderBy(desc(max(flowStreams.seenAt)))
    .limit(MOST_STREAMS);
  return rows.map(({ stream }) => stream);
}

/** Forgets streams that no longer keep a run of a flow. */
export async function purgeFlowStreams(db: D1Database, before: number): Promise<void> {
  await drizzle(db).delete(flowStreams).where(lt(flowStreams.seenAt, before));
}
