import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";
import { activeUser } from "../../accounts/open.store";
import { flowTriggers } from "../../db/flows";
import { lastMinute } from "../../db/schedule";
import { triggerKind } from "../components";
import { type Descriptor, stepsBelow } from "../descriptor";
import type { Flow } from "../flow";
import { nextMinuteOf } from "./schedule";
import { type Trigger, triggerKey } from "./trigger";
import { invalidateTriggers } from "./app-event-triggers.store";
import { membersOf, storedJson } from "../../values/stored-json";

export type TriggerDoors = { db: D1Database; streams: Env["EVENT_STREAMS"] };

/** The row of a trigger component. */
export function triggerRow(
  flow: Pick<Flow, "id" | "organizationId" | "userId">,
  descriptor: Descriptor,
  componentId: string,
  createdAt: number,
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
    key: triggerKey(kind, properties),
    active: true,
    steps: stepsBelow(descriptor, componentId),
    properties,
    nextMinute: kind === "schedule" ? nextMinuteOf(properties, minute) : null,
    createdAt,
  };
}

/** What flows listen to beside the users' own events: an instance, or resources of some kinds (fewer than 90 keys). */
export type Source = {
  organizationId: number;
  kind: "instance" | "resource";
  keys: readonly string[];
};

/**
 * The query for the flows that listen to a source; `toTriggers` reads its answer. A change of a resource runs it in the
 * very batch that makes the change, so it starts the flows that listened at that moment.
 */
export function prepareSourceTriggers(
  db: D1Database,
  { organizationId, kind, keys }: Source,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT * FROM flow_triggers INDEXED BY flow_triggers_source
       WHERE organization_id = ?1 AND kind = ?2 AND kind IN ('instance', 'resource')
         AND key IN (${keys.map(() => "?").join(", ")}) AND active AND ${activeUser("flow_triggers.user_id")}
       ORDER BY flow_id, component_id`,
    )
    .bind(organizationId, kind, ...keys);
}

const storedSteps = storedJson(z.array(z.object({ componentId: z.string(), port: z.string() })));

const sourceTriggerRow = z.object({
  flow_id: z.string(),
  component_id: z.string(),
  organization_id: z.number(),
  user_id: z.number(),
  key: z.string(),
  steps: z.string(),
  properties: z.string(),
  created_at: z.number(),
});

/** Reads what `prepareSourceTriggers` found. */
export const toTriggers = (results: unknown): Trigger[] =>
  z
    .array(sourceTriggerRow)
    .parse(results)
    .map((row) => ({
      flowId: row.flow_id,
      componentId: row.component_id,
      organizationId: row.organization_id,
      userId: row.user_id,
      key: row.key,
      steps: storedSteps.read(row.steps),
      properties: membersOf<unknown>().parse(JSON.parse(row.properties)),
      createdAt: row.created_at,
    }));

/** The flows that listen to a source now. */
export const readSourceTriggers = async (db: D1Database, source: Source): Promise<Trigger[]> =>
  toTriggers((await prepareSourceTriggers(db, source).all()).results);

/** The flows that listen to any of several instances now, in one query. */
export async function readInstanceTriggers(
  db: D1Database,
  instances: readonly { id: number; organizationId: number }[],
): Promise<Trigger[]> {
  const wanted = instances.map(({ id, organizationId }) => [organizationId, String(id)]);
  const { results } = await db
    .prepare(
      `SELECT t.* FROM json_each(?1) AS wanted CROSS JOIN flow_triggers AS t INDEXED BY flow_triggers_source
       WHERE t.organization_id = wanted.value ->> 0 AND t.kind = 'instance' AND t.kind IN ('instance', 'resource')
         AND t.key = wanted.value ->> 1 AND t.active AND ${activeUser("t.user_id")}
       ORDER BY t.flow_id, t.component_id`,
    )
    .bind(JSON.stringify(wanted))
    .all();
  return toTriggers(results);
}

/** One trigger of a running flow, by its component; undefined also while its user is switched off. */
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
        sql.raw(activeUser("flow_triggers.user_id")),
      ),
    );
  return row;
}

/** Registers a trigger that a client names itself; registering a component again replaces its trigger. */
export async function saveTrigger(
  doors: TriggerDoors,
  row: typeof flowTriggers.$inferInsert,
): Promise<void> {
  await drizzle(doors.db)
    .insert(flowTriggers)
    .values(row)
    .onConflictDoUpdate({ target: [flowTriggers.flowId, flowTriggers.componentId], set: row });
  await invalidateTriggers(doors, row, [row.flowId]);
}

/** Deletes the app-event triggers of one component, in all flows of this user. */
export async function deleteTriggers(
  doors: TriggerDoors,
  owner: { userId: number; organizationId: number },
  componentId: string,
): Promise<void> {
  const deleted = await drizzle(doors.db)
    .delete(flowTriggers)
    .where(
      and(
        eq(flowTriggers.userId, owner.userId),
        eq(flowTriggers.componentId, componentId),
        eq(flowTriggers.kind, "app-event"),
      ),
    )
    .returning({ flowId: flowTriggers.flowId });
  const flowIds = deleted.map(({ flowId }) => flowId);
  await invalidateTriggers(doors, owner, flowIds);
}

/** The schedule's minute: that of the last tick, or of the clock before the first. */
export const scheduleMinute = async (db: D1Database, now: number): Promise<number> =>
  (await lastMinute(db)) ?? Math.floor(now / 60_000);
