import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The numbers that are added up. The `le` columns are a histogram of how long tries took. */
const counted = () => ({
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
});

/** What versions before the tables below wrote: counts of five minutes. It is moved there bit by bit. */
export const rollups = sqliteTable(
  "rollups",
  {
    organizationId: integer("organization_id").notNull(),
    bucket: integer().notNull(),
    source: text().notNull(),
    destinationId: text("destination_id").notNull(),
    ...counted(),
  },
  (table) => [
    primaryKey({
      columns: [table.organizationId, table.bucket, table.source, table.destinationId],
    }),
  ],
);

/**
 * What isolates counted lately, as they wrote it: few rows, each with all that one isolate counted in some time, for
 * whichever organizations. Folded into the tables below within minutes.
 */
export const flushes = sqliteTable("usage_flushes", {
  /** Begins with the time: `metering/flushes.store.ts`. */
  id: text().primaryKey(),
  n: integer().notNull(),
  /** `[[organizationId, bucket, source, destinationId, ...counts], …]`, counts in the order of `COLUMNS`. */
  body: text().notNull(),
});

/** An organization's counts, whatever their source: pages that show all of it read these alone. */
export const usageTotals = sqliteTable(
  "usage_totals",
  {
    /** What the row sums up, in milliseconds from `bucket` on: five minutes, an hour or a day. */
    step: integer().notNull(),
    organizationId: integer("organization_id").notNull(),
    bucket: integer().notNull(),
    ...counted(),
  },
  (table) => [primaryKey({ columns: [table.step, table.organizationId, table.bucket] })],
);

/**
 * The same counts by source and destination, some dozens of them in a row. Several rows of a bucket may have parts of one
 * source's counts: they are added up.
 */
export const usageDetails = sqliteTable(
  "usage_details",
  {
    step: integer().notNull(),
    organizationId: integer("organization_id").notNull(),
    bucket: integer().notNull(),
    /** Begins with the first source in it. */
    id: text().notNull(),
    /** `[[source, destinationId, ...counts], …]`. */
    body: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.step, table.organizationId, table.bucket, table.id] })],
);

/** Deliveries to a destination on one day, for its figures of the last 24 hours. */
export const usageDestinations = sqliteTable(
  "usage_destinations",
  {
    day: integer().notNull(),
    organizationId: integer("organization_id").notNull(),
    destinationId: text("destination_id").notNull(),
    /** `[[hour, ...counts], …]`. */
    body: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.organizationId, table.destinationId] })],
);
