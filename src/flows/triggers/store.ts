import { and, eq, inArray, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flowTriggers, schedule } from "../../db/schema";
import type { Commit, NewEvent } from "../../events/event";
import { triggerKind } from "../components";
import { type Descriptor, stepsBelow } from "../descriptor";
import type { Flow } from "../flow";
import { type Trigger, withRuns } from "../run";
import { nextMinuteOf, triggerKeyOf } from "../trigger";

/** How long an isolate trusts what it read: a flow that starts or stops elsewhere shows after this. */
const TRUST_MS = 2_000;
const MOST_KNOWN = 5_000;
const eventTriggers = new Map<string, { until: number; value: Trigger[] }>();

/** Makes this isolate read all triggers anew. */
export function forgetTriggers(): void {
  eventTriggers.clear();
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
  if (value.length > 0) eventTriggers.set(key, { until: now + TRUST_MS, value });
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

/** Registers a trigger by hand: the newest registration of a component counts. */
export async function saveTrigger(
  db: D1Database,
  row: typeof flowTriggers.$inferInsert,
): Promise<void> {
  await drizzle(db)
    .insert(flowTriggers)
    .values(row)
    .onConflictDoUpdate({ target: [flowTriggers.flowId, flowTriggers.componentId], set: row });
  forgetTriggers();
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
  forgetTriggers();
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
