import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Connectors that an organization described itself, in the schema of the built-in ones. */
export const userConnectors = sqliteTable(
  "user_connectors",
  {
    id: integer().primaryKey(),
    organizationId: integer("organization_id").notNull(),
    key: text().notNull(),
    /** As it was given, checked; its id is this row's. */
    definition: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [uniqueIndex("user_connectors_key").on(table.organizationId, table.key)],
);
