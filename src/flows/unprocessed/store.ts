import { and, desc, eq, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { unprocessed } from "../../db/flows";

export type Unprocessed = typeof unprocessed.$inferSelect;

export async function saveUnprocessed(db: D1Database, row: Unprocessed): Promise<void> {
  await drizzle(db)
    .insert(unprocessed)
    .values(row)
    .onConflictDoUpdate({ target: unprocessed.id, set: row });
}

/** Newest first. */
export function listUnprocessed(
  db: D1Database,
  userId: number,
  request: {
    flowId?: string;
    correlationId?: string;
    /** Only those after this one, which was the last of a page. */
    after?: Pick<Unprocessed, "createdAt" | "id">;
    limit: number;
    offset?: number;
  },
): Promise<Unprocessed[]> {
  const { flowId, correlationId, after } = request;
  return drizzle(db)
    .select()
    .from(unprocessed)
    .where(
      and(
        eq(unprocessed.userId, userId),
        flowId === undefined ? undefined : eq(unprocessed.flowId, flowId),
        correlationId === undefined ? undefined : eq(unprocessed.correlationId, correlationId),
        after === undefined
          ? undefined
          : sql`(${unprocessed.createdAt}, ${unprocessed.id}) < (${after.createdAt}, ${after.id})`,
      ),
    )
    .orderBy(desc(unprocessed.createdAt), desc(unprocessed.id))
    .limit(request.limit)
    .offset(request.offset ?? 0);
}

export async function readUnprocessed(
  db: D1Database,
  userId: number,
  id: string,
): Promise<Unprocessed | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(unprocessed)
    .where(and(eq(unprocessed.id, id), eq(unprocessed.userId, userId)));
  return row;
}

/** @returns whether it was there. */
export async function deleteUnprocessed(
  db: D1Database,
  userId: number,
  id: string,
): Promise<boolean> {
  const rows = await drizzle(db)
    .delete(unprocessed)
    .where(and(eq(unprocessed.id, id), eq(unprocessed.userId, userId)))
    .returning({ id: unprocessed.id });
  return rows.length > 0;
}

/** Deletes an entry, unless its message has failed once more since the entry was read. */
export async function deleteIfUnchanged(db: D1Database, row: Unprocessed): Promise<void> {
  await drizzle(db)
    .delete(unprocessed)
    .where(and(eq(unprocessed.id, row.id), eq(unprocessed.createdAt, row.createdAt)));
}

/** Forgets entries whose messages the streams no longer keep. */
export async function purgeUnprocessed(db: D1Database, before: number): Promise<void> {
  await drizzle(db).delete(unprocessed).where(lt(unprocessed.createdAt, before));
}

/** Whose message this is. */
export async function ownerOfMessage(db: D1Database, id: string): Promise<number | undefined> {
  const [row] = await drizzle(db)
    .select({ userId: unprocessed.userId })
    .from(unprocessed)
    .where(eq(unprocessed.id, id));
  return row?.userId;
}
