import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Ids that must be known before a row is written (sealed values are bound to them). */
export const counters = sqliteTable("counters", {
  name: text().primaryKey(),
  value: integer().notNull(),
});

/** The next id under a name, the first being `first`. A gap is left when no row is written with it. */
export async function nextId(db: D1Database, name: string, first: number): Promise<number> {
  const [row] = await drizzle(db)
    .insert(counters)
    .values({ name, value: first })
    .onConflictDoUpdate({ target: counters.name, set: { value: sql`${counters.value} + 1` } })
    .returning({ value: counters.value });
  if (row === undefined) throw new Error(`The counter of ${name} gave no id`);
  return row.value;
}
