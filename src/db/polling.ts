import { integer, sqliteTable } from "drizzle-orm/sqlite-core";

/** One row: the last schedule minute that was dispatched. */
export const schedule = sqliteTable("schedule", {
  id: integer().primaryKey(),
  lastMinute: integer("last_minute").notNull(),
});
