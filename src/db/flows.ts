import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export type Share = {
  email?: string | undefined;
  domain?: string | undefined;
  scope?: string | undefined;
  permissions: ("read" | "start" | "stop")[];
};

export const flows = sqliteTable(
  "flows",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id").notNull(),
    userId: integer("user_id").notNull(),
    name: text().notNull(),
    description: text().notNull().default(""),
    type: text().notNull().default("automation"),
    stage: text({ enum: ["stopped", "running"] })
      .notNull()
      .default("stopped"),
    /** The descriptor: component id → component. */
    flow: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
    customFields: text("custom_fields", { mode: "json" })
      .$type<Record<string, unknown>>()
      .notNull()
      .default({}),
    wizard: text({ mode: "json" }).$type<unknown>(),
    thumbnail: text(),
    sharedWith: text("shared_with", { mode: "json" }).$type<Share[]>().notNull().default([]),
    originFlowId: text("origin_flow_id"),
    /** What the template was when this was cloned, in this flow's own component ids. */
    originFlow: text("origin_flow", { mode: "json" }).$type<Record<string, unknown>>(),
    componentIdMap: text("component_id_map", { mode: "json" }).$type<Record<string, string>>(),
    revision: integer().notNull().default(1),
    btime: integer().notNull(),
    mtime: integer().notNull(),
    /** When it was last started; runs that began long before are not continued. */
    started: integer(),
  },
  (table) => [
    index("flows_user").on(table.userId),
    index("flows_organization").on(table.organizationId),
    index("flows_origin")
      .on(table.originFlowId)
      .where(sql`origin_flow_id IS NOT NULL`),
  ],
);

/** What starts a flow. `key` is an event name, an instance id, a resource or a cron expression. */
export const flowTriggers = sqliteTable(
  "flow_triggers",
  {
    flowId: text("flow_id").notNull(),
    componentId: text("component_id").notNull(),
    organizationId: integer("organization_id").notNull(),
    userId: integer("user_id").notNull(),
    kind: text({ enum: ["app-event", "webhook", "instance", "resource", "schedule"] }).notNull(),
    key: text().notNull(),
    /** False while its flow is stopped. */
    active: integer({ mode: "boolean" }).notNull(),
    /** The steps directly below: component id and the port of the trigger it listens to. */
    steps: text({ mode: "json" }).$type<{ componentId: string; port: string }[]>().notNull(),
    /** The trigger's properties, for kinds that match by more than their key. */
    properties: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
    /** Schedules: the minute (since 1970) it is due next. */
    nextMinute: integer("next_minute"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.flowId, table.componentId] }),
    index("flow_triggers_user")
      .on(table.userId, table.key)
      .where(sql`kind = 'app-event'`),
    index("flow_triggers_source")
      .on(table.organizationId, table.kind, table.key)
      .where(sql`kind IN ('instance', 'resource')`),
    index("flow_triggers_schedule")
      .on(table.nextMinute)
      .where(sql`next_minute IS NOT NULL`),
  ],
);

/** Steps that failed for good, until somebody retries or removes them. The message itself is in its stream. */
export const unprocessed = sqliteTable(
  "unprocessed",
  {
    /** The notification's id: it tells stream and number. */
    id: text().primaryKey(),
    userId: integer("user_id").notNull(),
    flowId: text("flow_id").notNull(),
    componentId: text("component_id").notNull(),
    correlationId: text("correlation_id").notNull(),
    stream: text().notNull(),
    seq: integer().notNull(),
    error: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    index("unprocessed_user").on(table.userId, table.createdAt),
    index("unprocessed_flow").on(table.flowId),
    index("unprocessed_age").on(table.createdAt),
  ],
);

/** Streams that have runs of a flow, besides its user's: those of the instances and resources that start it. */
export const flowStreams = sqliteTable(
  "flow_streams",
  {
    flowId: text("flow_id").notNull(),
    stream: text().notNull(),
    /** When a run of it was last seen there, give or take an hour. */
    seenAt: integer("seen_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.flowId, table.stream] })],
);

/** An update of a template's instances, done a page at a time. */
export const flowTickets = sqliteTable("flow_tickets", {
  id: text().primaryKey(),
  userId: integer("user_id").notNull(),
  templateId: text("template_id").notNull(),
  /** Runs in progress are not continued. */
  dropRuns: integer("drop_runs", { mode: "boolean" }).notNull(),
  status: text({ enum: ["running", "completed", "failed"] }).notNull(),
  stepsTotal: integer("steps_total").notNull(),
  stepsDone: integer("steps_done").notNull(),
  /** The last instance that was looked at; they come in the order of their ids. */
  lastId: text("last_id").notNull(),
  errors: text({ mode: "json" }).$type<{ flowId: string; message: string }[]>().notNull(),
  createdAt: integer("created_at").notNull(),
});
