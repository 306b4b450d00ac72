import { and, asc, desc, eq, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { destinations, flows, flowTriggers, unprocessed } from "../db/schema";
import type { Keyring } from "../db/sealed";
import { deleteDestination, saveDestination } from "../delivery/store";
import { triggerKind } from "./components";
import { type Descriptor, readDescriptor } from "./descriptor";
import type { Filter, Filtered, Flow, Permission, Viewer } from "./flow";
import { stepDestinationId } from "./run";
import { forgetTriggers, triggerRow } from "./triggers/store";

/** How long an isolate trusts what it read of a running flow. */
const TRUST_FLOW_MS = 3_000;
const MOST_KNOWN = 5_000;

export type RunningFlow = { flow: Flow; descriptor: Descriptor };
const runningFlows = new Map<string, { until: number; value: RunningFlow }>();

function visible(viewer: Viewer, permissions: readonly Permission[]): SQL | undefined {
  const domain = viewer.email.slice(viewer.email.lastIndexOf("@") + 1);
  return or(
    eq(flows.userId, viewer.id),
    and(
      eq(flows.organizationId, viewer.organizationId),
      sql`EXISTS (SELECT 1 FROM json_each(${flows.sharedWith}) AS share
        WHERE (share.value ->> 'email' = ${viewer.email} OR share.value ->> 'domain' = ${domain}
          OR share.value ->> 'scope' = 'user')
        AND NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(permissions)}) AS wanted
          WHERE wanted.value NOT IN (SELECT value FROM json_each(share.value, '$.permissions'))))`,
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
    .where(and(eq(flows.id, id), visible(viewer, [permission])));
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
  permissions: Permission[];
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
    visible(viewer, request.permissions),
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
  forgetTriggers();
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
