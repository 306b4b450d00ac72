import { and, eq, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { readTokenUser } from "../accounts/users/store";
import { flows, flowTriggers } from "../db/flows";
import { type Keyring, keyring } from "../db/sealed";
import { instanceDestinationId } from "../delivery/destination";
import { knownDestinations } from "../delivery/destinations.store";
import { saveDestination } from "../delivery/save-destination.store";
import { forbidden } from "../http/refusal";
import { triggerKind } from "./components";
import type { Component, Descriptor } from "./descriptor";
import type { FlowDoors } from "./doors";
import type { Flow } from "./flow";
import { opened } from "./sealed-flow";
import { stepDestination } from "./steps/destination";
import { invalidateTriggers } from "./triggers/app-event-triggers.store";
import { scheduleMinute, triggerRow } from "./triggers/store";
import { triggerKey } from "./triggers/trigger";
import { faulty, startable } from "./validation/refusals";

/** `changed`: somebody else changed the flow since it was read, and nothing was done. */
export type Change = "done" | "changed";

/**
 * Makes a flow run: its fields, its triggers and the destinations of its steps are written in one batch.
 * @param read the flow as it was read. @param flow as it is to run, with the fields in `set`.
 * @throws Refusal naming what is wrong with it.
 */
export async function switchOn(
  doors: FlowDoors,
  read: Flow,
  flow: Flow,
  { now, started, set }: { now: number; started: number; set: Partial<Flow> },
): Promise<Change> {
  const { db } = doors;
  const descriptor = await permittedToStart(doors, flow);
  const orm = drizzle(db);
  const saved = await savedComponents(doors, flow, descriptor, { now, started });
  try {
    await orm.batch([
      failUnlessUnchanged(db, read),
      orm.delete(flowTriggers).where(eq(flowTriggers.flowId, flow.id)),
      orm
        .update(flows)
        .set({ ...set, stage: "running", started })
        .where(eq(flows.id, flow.id)),
      ...saved,
    ]);
  } catch (error) {
    if (isNotNullBroken(error)) return "changed";
    throw error;
  }
  await invalidateTriggers(doors, flow, [flow.id]);
  return "done";
}

/**
 * What a flow is run by. Resources belong to the whole organization: only its administrators' flows may
 * listen to them. @throws Refusal naming what is wrong with it.
 */
async function permittedToStart({ db, config }: FlowDoors, flow: Flow): Promise<Descriptor> {
  const descriptor = startable(flow, config.egress);
  await refuseForeignInstances(db, flow, descriptor);
  const listens = [...descriptor.values()].some(({ type }) => triggerKind(type) === "resource");
  const owner = listens ? await readTokenUser(db, flow.userId, Date.now()) : undefined;
  if (listens && owner?.role !== "admin")
    throw forbidden("Only an administrator's flow may listen to resources");
  return descriptor;
}

/** An instance of the organization has a destination there; nobody learns which ids others have. */
async function refuseForeignInstances(
  db: D1Database,
  { organizationId }: Flow,
  descriptor: Descriptor,
): Promise<void> {
  const triggers = [...descriptor.values()].filter(({ type }) => triggerKind(type) === "instance");
  const idOf = ({ properties }: Component): string => triggerKey("instance", properties);
  const ids = triggers.map((trigger) => instanceDestinationId(Number(idOf(trigger))));
  const known = ids.length === 0 ? new Map() : await knownDestinations(db, organizationId, ids);
  const faults = triggers
    .filter((_, index) => !known.has(ids[index] ?? ""))
    .map((trigger) => ({
      componentId: trigger.id,
      field: "config.properties.instanceId",
      message: `There is no instance '${idOf(trigger)}'`,
    }));
  if (faults.length > 0) throw faulty(faults);
}

const destinationOf = (ring: Keyring, flow: Flow, { id, transform }: Component) =>
  stepDestination(flow, { id, transform: opened(ring, flow.organizationId, transform) });

/** A row for each trigger, a destination for each step. */
async function savedComponents(
  { db, config }: FlowDoors,
  flow: Flow,
  descriptor: Descriptor,
  { now, started }: { now: number; started: number },
): Promise<BatchItem<"sqlite">[]> {
  const minute = await scheduleMinute(db, now);
  const ring = keyring(config.masterKeys);
  const saved: BatchItem<"sqlite">[] = [];
  for (const component of descriptor.values()) {
    if (triggerKind(component.type) === undefined)
      saved.push(...(await saveDestination(db, ring, destinationOf(ring, flow, component), now)));
    else {
      const row = triggerRow(flow, descriptor, component.id, started, minute);
      saved.push(drizzle(db).insert(flowTriggers).values(row));
    }
  }
  return saved;
}

/**
 * D1 has no batch with a condition. This row breaks a NOT NULL constraint, and that undoes the whole batch; it is
 * inserted only when the flow is no longer as it was read.
 */
function failUnlessUnchanged(db: D1Database, read: Flow): BatchItem<"sqlite"> {
  return drizzle(db)
    .insert(flowTriggers)
    .select(
      sql`SELECT NULL, '', 0, 0, 'webhook', '', 0, '[]', '{}', NULL, 0 WHERE NOT EXISTS (SELECT 1 FROM ${flows} WHERE ${unchanged(read)})`,
    );
}

/** Whether the row of a flow is still as it was read. */
export function unchanged({ id, revision, stage, started }: Flow): SQL | undefined {
  return and(
    eq(flows.id, id),
    eq(flows.revision, revision),
    eq(flows.stage, stage),
    sql`${flows.started} IS ${started}`,
  );
}

function isNotNullBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("NOT NULL constraint failed") || isNotNullBroken(error.cause);
}
