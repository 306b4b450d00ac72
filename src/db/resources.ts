import { getTableColumns } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * API resources of every kind and their change log. Both tables are WITHOUT ROWID (see the migration):
 * the key is the table, so a change writes at most four rows, indexes included.
 */

export const resources = sqliteTable(
  "resources",
  {
    organizationId: integer("organization_id").notNull(),
    /** `APIService`; a kind's name is unique over all groups. */
    kind: text().notNull(),
    /** `Environment/prod`; empty when unscoped. */
    scope: text().notNull(),
    name: text().notNull(),
    /** 32 hex digits. */
    id: text().notNull(),
    title: text().notNull(),
    /** Number of updates, those of subresources too. */
    version: integer().notNull(),
    /** `DELETING` while finalizers hold it. */
    state: text({ enum: ["DELETING"] }),
    /** Sequence number of its creation in the change log: the order of lists. */
    seq: integer().notNull(),
    createdAt: integer("created_at").notNull(),
    createdBy: text("created_by").notNull(),
    modifiedAt: integer("modified_at").notNull(),
    modifiedBy: text("modified_by").notNull(),
    /** JSON: everything else (`resources/resource.ts`). */
    content: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.kind, table.scope, table.name] }),
    index("resources_kind").on(table.organizationId, table.kind, table.seq),
    index("resources_scope").on(table.organizationId, table.kind, table.scope, table.seq),
  ],
);

export type ResourceRow = typeof resources.$inferSelect;

/** All columns, by the names that a `ResourceRow` has for them; `of` is what the query calls the table. */
export const resourceColumns = (of: string): string =>
  Object.entries(getTableColumns(resources))
    .map(([member, { name }]) => `${of}.${name} AS ${member}`)
    .join(", ");

/** One row a change, written in the batch that makes the change. */
export const resourceChanges = sqliteTable(
  "resource_changes",
  {
    organizationId: integer("organization_id").notNull(),
    /** Increases within the organization. */
    seq: integer().notNull(),
    at: integer().notNull(),
    /** UUID; the id of the event in the stream, the log and every callback. */
    eventId: text("event_id").notNull(),
    type: text().notNull(),
    group: text("group_name").notNull(),
    kind: text().notNull(),
    scope: text().notNull(),
    name: text().notNull(),
    /** Id of the resource. */
    resourceId: text("resource_id").notNull(),
    /** JSON text of the event as webhooks get it. */
    body: text().notNull(),
    /** JSON: which destinations the event has, decided when the change was made. */
    targets: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.seq] })],
);

export const resourceCursors = sqliteTable("resource_cursors", {
  organizationId: integer("organization_id").primaryKey(),
  /** Up to which entry an organization's log has reached its streams for sure; moved by the cron tick. */
  handedSeq: integer("handed_seq").notNull().default(0),
  /** Counts the writes of ResourceHooks, Webhooks and Secrets: what an isolate remembers of them is valid for one count. */
  listenersVersion: integer("listeners_version").notNull().default(0),
});
