import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What an organization says of the events that it publishes. */
export const eventTypes = sqliteTable(
  "event_types",
  {
    organizationId: integer("organization_id").notNull(),
    name: text().notNull(),
    /** Names what this row says: another one after each change, never the same again. */
    revision: text().notNull(),
    description: text().notNull(),
    /** JSON Schema of the data; null: any. These are JSON as it was given, whose numbers keep their digits. */
    schema: text(),
    example: text().notNull(),
    /** One more with each change of the schema. */
    version: integer().notNull(),
    deprecated: integer({ mode: "boolean" }).notNull(),
    /** By an older version: JSONata that makes its data out of the next version's. */
    conversions: text({ mode: "json" }).$type<Record<string, string>>().notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.name] })],
);
