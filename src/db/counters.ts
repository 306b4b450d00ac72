import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Ids that must be known before a row is written (sealed values are bound to them). */
export const counters = sqliteTable("counters", {
  name: text().primaryKey(),
  value: integer().notNull(),
});
