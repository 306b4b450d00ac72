import { sql } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { organizations } from "./accounts";

/**
 * Customers of organizations. Instances, end users, destinations, keys and published events may belong to one: their rows
 * name it in `tenant_id`, beside their organization.
 */
export const tenants = sqliteTable(
  "tenants",
  {
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    /** As the organization calls it: `acme`. */
    id: text().notNull(),
    name: text().notNull(),
    metadata: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
    /** Nothing of it is polled, taken in or delivered. */
    disabled: integer({ mode: "boolean" }).notNull().default(false),
    /** Calls a second to each of its destinations that doesn't say itself; null: no limit. */
    rate: real(),
    /** How long events of its sources are kept; null: as long as the organization's. */
    retentionDays: integer("retention_days"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Since when it is being deleted; null: it is there. */
    deletingAt: integer("deleting_at"),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.id] }),
    index("tenants_deleting")
      .on(table.deletingAt)
      .where(sql`deleting_at IS NOT NULL`),
  ],
);
