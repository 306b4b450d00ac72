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

/** How large this database was at the end of each of the last days. */
export const databaseSizes = sqliteTable("database_sizes", {
  /** Begins at this instant, UTC. */
  day: integer().primaryKey(),
  bytes: integer().notNull(),
  /** When the operator was told that it is filling up. */
  announcedAt: integer("announced_at"),
});
