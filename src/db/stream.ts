import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Work that is done page by page. `parts` tells, stream by stream, how far it is. */
export const jobs = sqliteTable(
  "jobs",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id").notNull(),
    kind: text().notNull(),
    /** The destination it is about, if it is about one. */
    destinationId: text("destination_id"),
    parts: text({ mode: "json" })
      .$type<Record<string, { processed: number; done: boolean }>>()
      .notNull(),
    total: integer(),
    error: text(),
    createdAt: integer("created_at").notNull(),
    /** Who began it, as the audit log calls them; null: an earlier version, which did not note it. */
    actor: text(),
  },
  (table) => [
    index("jobs_age").on(table.createdAt),
    index("jobs_of_organization").on(table.organizationId, table.createdAt, table.id),
  ],
);
