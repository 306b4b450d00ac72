import { and, asc, desc, eq, inArray, lte, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import {
  destinations,
  flows,
  flowTickets,
  flowTriggers,
  schedule,
  unprocessed,
} from "../db/schema";
import type { Keyring } from "../db/sealed";
import { deleteDestination, saveDestination } from "../delivery/store";
import { triggerKind } from "./components";
import { type Descriptor, readDescriptor, stepsBelow } from "./descriptor";
import type { Filter, Filtered, Flow, Permission, Viewer } from "./flow";
import type { Commit, NewEvent } from "../events/event";
import { stepDestinationId, type Trigger, withRuns } from "./run";
import { nextMinuteOf, triggerKeyOf } from "./trigger";

/** How long an isolate trusts what it read of a running flow; triggers a shorter time. */
const TRUST_FLOW_MS = 3_000;
const TRUST_TRIGGERS_MS = 2_000;
const MOST_KNOWN = 5_000;

export type RunningFlow = { flow: Flow; descriptor: Descriptor };
const runningFlows = new Map<string, { until: number; value: RunningFlow }>();
const eventTriggers = new Map<string, { until: number; value: Trigger[] }>();

function visible(viewer: Viewer, permission: Permission): SQL | undefined {
  const domain = viewer.email.slice(viewer.email.lastIndexOf("@") + 1);
  return or(
    eq(flows.userId, viewer.id),
    and(
      eq(flows.organizationId, viewer.organizationId),
      sql`EXISTS (SELECT 1 FROM json_each(${flows.sharedWith}) AS share
        WHERE (share.value ->> 'email' = ${viewer.email} OR share.value ->> 'domain' = ${domain}
          OR share.value ->> 'scope' = 'user')
        AND EXISTS (SELECT 1 FROM json_each(share.value, '$.permissions') AS granted
          WHERE granted.value = ${permission}))`,
    ),
  );
}

/** A flow that this user may see; unknown and invisible look the same. */
export async function readFlow(
  db: D1Database,
  viewer: Viewer,
  id: string,
  permission: Permission = "read",
): Promise<Flow | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flows)
    .where(and(eq(flows.id, id), visible(viewer, permission)));
  return row;
}

/** A flow of this very user. */
export async function readOwnFlow(
  db: D1Database,
  userId: number,
  id: string,
): Promise<Flow | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flows)
    .where(and(eq(flows.id, id), eq(flows.userId, userId)));
  return row;
}

/** A flow whoever it belongs to: for what runs without a user. */
export async function readAnyFlow(db: D1Database, id: string): Promise<Flow | undefined> {
  const [row] = await drizzle(db).select().from(flows).where(eq(flows.id, id));
  return row;
}

const COLUMNS: Record<Filtered, SQLiteColumn> = {
  userId: flows.userId,
  flowId: flows.id,
  stage: flows.stage,
  name: flows.name,
  description: flows.description,
  type: flows.type,
  btime: flows.btime,
  mtime: flows.mtime,
  started: flows.started,
  sharedWith: flows.sharedWith,
  customFields: flows.customFields,
  originFlowId: flows.originFlowId,
  revision: flows.revision,
  thumbnail: flows.thumbnail,
  wizard: flows.wizard,
  flow: flows.flow,
};

export type ListRequest = {
  permission: Permission;
  filters: (Filter & { field: Filtered })[];
  pattern: string | undefined;
  sort: { field: Filtered; descending: boolean };
  offset: number;
  limit: number;
};

function conditions(viewer: Viewer, request: ListRequest): SQL | undefined {
  const filters = request.filters.map(({ field, path, value, negated }) => {
    const column = COLUMNS[field];
    const json = `$${path.map((key) => `.${JSON.stringify(key)}`).join("")}`;
    const subject = path.length === 0 ? sql`${column}` : sql`json_extract(${column}, ${json})`;
    return negated
      ? sql`CAST(${subject} AS TEXT) IS NOT ${value}`
      : sql`CAST(${subject} AS TEXT) = ${value}`;
  });
  const { pattern } = request;
  return and(
    visible(viewer, request.permission),
    ...filters,
    pattern === undefined ? undefined : sql`instr(lower(${flows.name}), lower(${pattern})) > 0`,
  );
}

export function listFlows(db: D1Database, viewer: Viewer, request: ListRequest): Promise<Flow[]> {
  const column = COLUMNS[request.sort.field];
  return drizzle(db)
    .select()
    .from(flows)
    .where(conditions(viewer, request))
    .orderBy(request.sort.descending ? desc(column) : asc(column), asc(flows.id))
    .limit(request.limit)
    .offset(request.offset);
}

export function countFlows(db: D1Database, viewer: Viewer, request: ListRequest): Promise<number> {
  return drizzle(db).$count(flows, conditions(viewer, request));
}

/** @returns false when the id is taken. */
export async function createFlow(
  db: D1Database,
  flow: typeof flows.$inferInsert,
): Promise<boolean> {
  const rows = await drizzle(db)
    .insert(flows)
    .values(flow)
    .onConflictDoNothing()
    .returning({ id: flows.id });
  return rows.length > 0;
}

export async function changeFlow(
  db: D1Database,
  id: string,
  changes: Partial<typeof flows.$inferInsert>,
): Promise<void> {
  await drizzle(db).update(flows).set(changes).where(eq(flows.id, id));
  runningFlows.delete(id);
}

type StartOptions = {
  now: number;
  startedAt: number;
  /** The schedule's minute, from which schedules count. */
  minute: number;
  set: Partial<typeof flows.$inferInsert>;
};

/**
 * Switches a flow on: its stage and what else is `set`, its triggers and the destinations of its steps in
 * one batch. Runs that began before `startedAt` are not continued.
 */
export async function startFlow(
  db: D1Database,
  ring: Keyring,
  flow: Flow,
  descriptor: Descriptor,
  { now, startedAt, minute, set }: StartOptions,
): Promise<void> {
  const orm = drizzle(db);
  const saved: BatchItem<"sqlite">[] = [];
  for (const { id, type, transform } of descriptor.values()) {
    const kind = triggerKind(type);
    if (kind === undefined) {
      const [statement] = await saveDestination(
        db,
        ring,
        {
          id: stepDestinationId(flow.id, id),
          organizationId: flow.organizationId,
          kind: "flow-step",
          ownerId: flow.id,
          url: fixedUrl(transform),
          headers: {},
          legacyKey: null,
          policy: {},
        },
        now,
      );
      saved.push(statement);
    } else
      saved.push(orm.insert(flowTriggers).values(triggerRow(flow, descriptor, id, now, minute)));
  }
  await orm.batch([
    orm.delete(flowTriggers).where(eq(flowTriggers.flowId, flow.id)),
    orm
      .update(flows)
      .set({ ...set, stage: "running", started: startedAt })
      .where(eq(flows.id, flow.id)),
    ...saved,
  ]);
  forgetFlow(flow.id);
}

/** The address of a step when all its mappings agree on one that has no placeholder. */
function fixedUrl(transform: unknown): string | null {
  const urls = new Set(JSON.stringify(transform).match(/"url":"[^"\\]*"/g) ?? []);
  const [only] = urls;
  const url = only?.slice(7, -1);
  return urls.size === 1 && url !== undefined && URL.canParse(url) && !url.includes("{{{")
    ? url
    : null;
}

/** The row of a trigger component. */
export function triggerRow(
  flow: Pick<Flow, "id" | "organizationId" | "userId">,
  descriptor: Descriptor,
  componentId: string,
  now: number,
  minute: number,
): typeof flowTriggers.$inferInsert {
  const component = descriptor.get(componentId);
  const kind = triggerKind(component?.type ?? "") ?? "app-event";
  const properties = component?.properties ?? {};
  return {
    flowId: flow.id,
    componentId,
    organizationId: flow.organizationId,
    userId: flow.userId,
    kind,
    key: triggerKeyOf(kind, properties),
    active: true,
    steps: stepsBelow(descriptor, componentId),
    properties,
    nextMinute: kind === "schedule" ? nextMinuteOf(properties, minute) : null,
    createdAt: now,
  };
}

/** Switches a flow off: nothing starts it, and what is under way ends at its next step. */
export async function stopFlow(db: D1Database, id: string): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([
    orm.delete(flowTriggers).where(eq(flowTriggers.flowId, id)),
    orm.update(flows).set({ stage: "stopped" }).where(eq(flows.id, id)),
  ]);
  forgetFlow(id);
}

/** Stops a flow and forgets it, its destinations and its unprocessed messages. */
export async function deleteFlow(db: D1Database, id: string): Promise<void> {
  const orm = drizzle(db);
  const owned = await orm
    .select({ id: destinations.id })
    .from(destinations)
    .where(and(eq(destinations.kind, "flow-step"), eq(destinations.ownerId, id)));
  await orm.batch([
    orm.delete(flowTriggers).where(eq(flowTriggers.flowId, id)),
    orm.delete(unprocessed).where(eq(unprocessed.flowId, id)),
    orm.delete(flows).where(eq(flows.id, id)),
    ...owned.map((row) => deleteDestination(db, row.id)),
  ]);
  forgetFlow(id);
}

function forgetFlow(id: string): void {
  runningFlows.delete(id);
  eventTriggers.clear();
}

/**
 * A flow that is running, as known a few seconds ago at most; that one is not, is never taken from memory.
 */
export async function readRunningFlow(
  db: D1Database,
  id: string,
  now: number,
): Promise<RunningFlow | undefined> {
  const entry = runningFlows.get(id);
  if (entry !== undefined && entry.until > now) return entry.value;
  const flow = await readAnyFlow(db, id);
  const read = flow?.stage === "running" ? readDescriptor(flow.flow) : undefined;
  if (flow === undefined || read === undefined || !read.ok) return undefined;
  if (runningFlows.size >= MOST_KNOWN) runningFlows.clear();
  const value = { flow, descriptor: read.descriptor };
  runningFlows.set(id, { until: now + TRUST_FLOW_MS, value });
  return value;
}

/** The flows of a user that an app event starts. That there is none is never taken from memory. */
export async function readEventTriggers(
  db: D1Database,
  userId: number,
  event: string,
  now: number,
): Promise<Trigger[]> {
  const key = `${userId} ${event}`;
  const entry = eventTriggers.get(key);
  if (entry !== undefined && entry.until > now) return entry.value;
  const value = await drizzle(db)
    .select()
    .from(flowTriggers)
    .where(
      and(
        eq(flowTriggers.userId, userId),
        eq(flowTriggers.key, event),
        // Written out: a bound value would not match the partial index.
        sql`kind = 'app-event'`,
        eq(flowTriggers.active, true),
      ),
    )
    .orderBy(flowTriggers.flowId, flowTriggers.componentId);
  if (eventTriggers.size >= MOST_KNOWN) eventTriggers.clear();
  if (value.length > 0) eventTriggers.set(key, { until: now + TRUST_TRIGGERS_MS, value });
  return value;
}

/** The flows of an organization that listen to one instance or one kind of resource. */
export function readSourceTriggers(
  db: D1Database,
  organizationId: number,
  kind: "instance" | "resource",
  keys: readonly string[],
): Promise<Trigger[]> {
  return drizzle(db)
    .select()
    .from(flowTriggers)
    .where(
      and(
        eq(flowTriggers.organizationId, organizationId),
        eq(flowTriggers.kind, kind),
        inArray(flowTriggers.key, [...keys]),
        sql`kind IN ('instance', 'resource')`,
        eq(flowTriggers.active, true),
      ),
    )
    .orderBy(flowTriggers.flowId, flowTriggers.componentId);
}

/** One trigger of a running flow, by its component. */
export async function readTrigger(
  db: D1Database,
  flowId: string,
  componentId: string,
): Promise<(Trigger & { kind: string }) | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flowTriggers)
    .where(
      and(
        eq(flowTriggers.flowId, flowId),
        eq(flowTriggers.componentId, componentId),
        eq(flowTriggers.active, true),
      ),
    );
  return row;
}

/** The flow of this user that has a component; the newest when several have. */
export async function flowOfComponent(
  db: D1Database,
  userId: number,
  componentId: string,
  flowId: string | undefined,
): Promise<string | undefined> {
  const [row] = await drizzle(db)
    .select({ id: flows.id })
    .from(flows)
    .where(
      and(
        eq(flows.userId, userId),
        flowId === undefined ? undefined : eq(flows.id, flowId),
        sql`json_type(${flows.flow}, ${`$.${JSON.stringify(componentId)}`}) IS NOT NULL`,
      ),
    )
    .orderBy(desc(flows.mtime))
    .limit(1);
  return row?.id;
}

/** What is needed to tell of the runs of this user's flows: their streams' sources and components. */
export async function readUserFlows(
  db: D1Database,
  userId: number,
  flowId: string | undefined,
): Promise<Pick<Flow, "id" | "flow">[]> {
  return drizzle(db)
    .select({ id: flows.id, flow: flows.flow })
    .from(flows)
    .where(and(eq(flows.userId, userId), flowId === undefined ? undefined : eq(flows.id, flowId)))
    .orderBy(desc(flows.mtime))
    .limit(1_000);
}

/** Registers a trigger by hand: the newest registration of a component counts. */
export async function saveTrigger(
  db: D1Database,
  row: typeof flowTriggers.$inferInsert,
): Promise<void> {
  await drizzle(db)
    .insert(flowTriggers)
    .values(row)
    .onConflictDoUpdate({ target: [flowTriggers.flowId, flowTriggers.componentId], set: row });
  eventTriggers.clear();
}

/** Forgets app-event triggers of one component, of this user's flows only. */
export async function deleteTriggers(
  db: D1Database,
  userId: number,
  componentId: string,
): Promise<void> {
  await drizzle(db)
    .delete(flowTriggers)
    .where(
      and(
        eq(flowTriggers.userId, userId),
        eq(flowTriggers.componentId, componentId),
        eq(flowTriggers.kind, "app-event"),
      ),
    );
  eventTriggers.clear();
}

/** The schedule's minute: that of the last tick, or of the clock before the first. */
export async function scheduleMinute(db: D1Database, now: number): Promise<number> {
  const [row] = await drizzle(db).select({ minute: schedule.lastMinute }).from(schedule);
  return row?.minute ?? Math.floor(now / 60_000);
}

export function dueSchedules(
  db: D1Database,
  minute: number,
  limit: number,
): Promise<(Trigger & { nextMinute: number | null })[]> {
  return drizzle(db)
    .select()
    .from(flowTriggers)
    .where(and(sql`next_minute IS NOT NULL`, lte(flowTriggers.nextMinute, minute)))
    .orderBy(flowTriggers.nextMinute)
    .limit(limit);
}

/** Moves a schedule on, unless somebody else did. */
export async function moveSchedule(
  db: D1Database,
  { flowId, componentId, nextMinute }: Trigger & { nextMinute: number | null },
  next: number | null,
): Promise<void> {
  await drizzle(db)
    .update(flowTriggers)
    .set({ nextMinute: next })
    .where(
      and(
        eq(flowTriggers.flowId, flowId),
        eq(flowTriggers.componentId, componentId),
        nextMinute === null ? undefined : eq(flowTriggers.nextMinute, nextMinute),
      ),
    );
}

/** The flows of one type that were made from another: the instances of a template, whoever activated them. */
export function flowsFrom(
  db: D1Database,
  organizationId: number,
  templateId: string,
  type: string,
  limit: number,
): Promise<Flow[]> {
  return drizzle(db)
    .select()
    .from(flows)
    .where(
      and(
        eq(flows.originFlowId, templateId),
        eq(flows.organizationId, organizationId),
        sql`origin_flow_id IS NOT NULL`,
        eq(flows.type, type),
      ),
    )
    .orderBy(flows.id)
    .limit(limit);
}

type Ticket = typeof flowTickets.$inferSelect;

export async function saveTicket(db: D1Database, ticket: Ticket): Promise<void> {
  await drizzle(db)
    .insert(flowTickets)
    .values(ticket)
    .onConflictDoUpdate({ target: flowTickets.id, set: ticket });
}

export async function readTicket(
  db: D1Database,
  userId: number,
  id: string,
): Promise<Ticket | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flowTickets)
    .where(and(eq(flowTickets.id, id), eq(flowTickets.userId, userId)));
  return row;
}

/**
 * A commit with the runs that its events start: every event by itself, in each flow that listens to its
 * source and `listens`. For sources, at the commit of their events.
 */
export async function withStartedFlows(
  db: D1Database,
  source: { organizationId: number; kind: "instance" | "resource"; keys: readonly string[] },
  commit: Pick<Commit, "events" | "targets">,
  listens: (trigger: Trigger, event: NewEvent) => boolean,
  now: number,
): Promise<Pick<Commit, "events" | "targets">> {
  if (commit.events.length === 0) return commit;
  const triggers = await readSourceTriggers(db, source.organizationId, source.kind, source.keys);
  return withRuns(commit, triggers, listens, now);
}
