import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Named readers of a stream's events: how far each has read. */
export const consumers = sqliteTable(
  "consumers",
  {
    stream: text().notNull(),
    name: text().notNull(),
    cursor: text().notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.stream, table.name] })],
);
