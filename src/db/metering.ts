import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
