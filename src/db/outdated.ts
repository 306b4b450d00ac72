import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * Entries of the directory that say what no longer holds (`directory/find.ts`). Triggers of the database write these
 * rows, in the transaction of whatever makes the change; migration 0022 has them. A row is deleted when the directory was told.
 */
export const outdated = sqliteTable("outdated", {
  id: integer().primaryKey({ autoIncrement: true }),
  /** Of the entry. */
  key: text().notNull(),
  /** What was changed, for whoever changed it: `instance:17`, `flow:…`, `user:8`, `organization:5`, `connector:1000000`, `tenant:5/acme`. */
  changed: text().notNull(),
});
