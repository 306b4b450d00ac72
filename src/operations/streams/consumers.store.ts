import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { consumers } from "../../db/operations";

/** How far a named reader of a stream has read. */
export async function readConsumer(
  db: D1Database,
  stream: string,
  name: string,
): Promise<string | undefined> {
  const [row] = await drizzle(db)
    .select({ cursor: consumers.cursor })
    .from(consumers)
    .where(and(eq(consumers.stream, stream), eq(consumers.name, name)));
  return row?.cursor;
}

export async function saveConsumer(
  db: D1Database,
  stream: string,
  name: string,
  cursor: string,
  now: number,
): Promise<void> {
  await drizzle(db)
    .insert(consumers)
    .values({ stream, name, cursor, updatedAt: now })
    .onConflictDoUpdate({
      target: [consumers.stream, consumers.name],
      set: { cursor, updatedAt: now },
    });
}
