import { drizzle } from "drizzle-orm/d1";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";

/** One row: the last schedule minute that was dispatched. */
export const schedule = sqliteTable("schedule", {
  id: integer().primaryKey(),
  lastMinute: integer("last_minute").notNull(),
});

/** The last schedule minute that was dispatched; null before the first tick. */
export async function lastMinute(db: D1Database): Promise<number | null> {
  const [row] = await drizzle(db).select({ lastMinute: schedule.lastMinute }).from(schedule);
  return row?.lastMinute ?? null;
}

export async function saveLastMinute(db: D1Database, minute: number): Promise<void> {
  await drizzle(db)
    .insert(schedule)
    .values({ id: 1, lastMinute: minute })
    .onConflictDoUpdate({ target: schedule.id, set: { lastMinute: minute } });
}
