import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * What operators look at over all streams. Fed by exceptions and by counts that are written once a while:
 * a successful delivery writes no row here.
 */

/** Notifications that failed at least once and are not delivered since. */
export const exceptions = sqliteTable(
  "exceptions",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id").notNull(),
    stream: text().notNull(),
    destinationId: text("destination_id").notNull(),
    status: text({ enum: ["retrying", "held", "dead"] }).notNull(),
    reason: text(),
    attempts: integer().notNull(),
    nextAttemptAt: integer("next_attempt_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("exceptions_organization").on(table.organizationId, table.updatedAt),
    index("exceptions_destination").on(table.destinationId, table.status),
  ],
);

/** Work that is done page by page. `parts` tells, stream by stream, how far it is. */
export const jobs = sqliteTable("jobs", {
  id: text().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  kind: text().notNull(),
  parts: text({ mode: "json" })
    .$type<Record<string, { processed: number; done: boolean }>>()
    .notNull(),
  total: integer(),
  error: text(),
  createdAt: integer("created_at").notNull(),
});

export const audit = sqliteTable(
  "audit",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    organizationId: integer("organization_id").notNull(),
    at: integer().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    target: text().notNull(),
    requestId: text("request_id").notNull(),
    changes: text({ mode: "json" }).$type<string[]>().notNull(),
  },
  (table) => [index("audit_organization").on(table.organizationId, table.at)],
);

/** Counts of five minutes, by source and destination (`""`: of all). The `le` columns are a histogram of tries. */
export const rollups = sqliteTable(
  "rollups",
  {
    organizationId: integer("organization_id").notNull(),
    bucket: integer().notNull(),
    source: text().notNull(),
    destinationId: text("destination_id").notNull(),
    polls: integer().notNull(),
    events: integer().notNull(),
    delivered: integer().notNull(),
    failed: integer().notNull(),
    attempts: integer().notNull(),
    rowsWritten: integer("rows_written").notNull(),
    objectRequests: integer("object_requests").notNull(),
    queueOperations: integer("queue_operations").notNull(),
    le10: integer("le_10").notNull(),
    le30: integer("le_30").notNull(),
    le100: integer("le_100").notNull(),
    le300: integer("le_300").notNull(),
    le1000: integer("le_1000").notNull(),
    le3000: integer("le_3000").notNull(),
    le10000: integer("le_10000").notNull(),
    longer: integer().notNull(),
    pollsDue: integer("polls_due").notNull().default(0),
    pollsLate: integer("polls_late").notNull().default(0),
  },
  (table) => [
    primaryKey({
      columns: [table.organizationId, table.bucket, table.source, table.destinationId],
    }),
  ],
);

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
