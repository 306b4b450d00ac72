/**
 * Starting, stopping, changing and deleting flows.
 *
 * D1 holds the truth. A flow that is running has a row in `flow_triggers` for each of its triggers, and a destination
 * for each of its steps; stopping it deletes the triggers. Each change is answered only when nothing acts on the state
 * before it any more: the version of the owner's stream was raised, so that no app event starts what was stopped
 * (`triggers/app-event-triggers.store.ts`), and no isolate believes any longer that a stopped flow is running, so
 * that none of its steps leaves (`running.store.ts`).
 *
 * Every start of a flow has an instant of its own, later than all before (`startedAt`), which its runs carry. A run
 * of an earlier start does not go on when the flow is started again: its steps end as dead
 * (`destination-disabled`), and can be sent again by hand.
 */

import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { tellDirectory } from "../db/directory/tell";
import { flows, flowStreams, flowTriggers, unprocessed } from "../db/flows";
import { keyring } from "../db/sealed";
import { deleteDestinationsOf } from "../delivery/remove-destination.store";
import { conflict } from "../http/refusal";
import type { FlowDoors } from "./doors";
import type { Columns } from "./fields";
import type { Flow } from "./flow";
import { sealedColumns, unmasked } from "./sealed-flow";
import { STOP_WAIT_MS } from "./running.store";
import { type Change, switchOn, unchanged } from "./start.store";
import { checkSize } from "./store";
import { invalidateTriggers } from "./triggers/app-event-triggers.store";

const TRIES = 5;

/**
 * Makes a change, which reads the flow first, and makes it again when somebody else changed the flow in between.
 * @throws Refusal `conflict` when that happens five times.
 */
export async function retryChanges(change: () => Promise<Change>): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) if ((await change()) === "done") return;
  throw conflict("The flow is being changed by somebody else: try again");
}

/** Starts or stops a flow, which `read` reads each time. @throws Refusal naming what is wrong with it. */
export const commandFlow = (
  doors: FlowDoors,
  command: "start" | "stop",
  read: () => Promise<Flow>,
): Promise<void> =>
  retryChanges(async () => {
    const flow = await read();
    if (command === "start") return startFlow(doors, flow);
    await stopFlow(doors, flow);
    return "done";
  });

/**
 * Sets what its owner sent of a flow, where masks stand for what is stored.
 * @throws Refusal `conflict` when it is running and `isForced` is not set.
 */
export function editFlow(
  doors: FlowDoors,
  flow: Flow,
  columns: Columns,
  isForced: boolean,
): Promise<Change> {
  if (flow.stage === "running" && !isForced)
    throw conflict("The flow is running: stop it first, or use forceUpdate=true");
  return replaceFlow(doors, flow, unmasked(columns, flow));
}

/** Starts a flow, unless it is running. @throws Refusal naming what is wrong with it. */
export async function startFlow(doors: FlowDoors, flow: Flow): Promise<Change> {
  if (flow.stage === "running") {
    await invalidateTriggers(doors, flow, [flow.id]);
    return "done";
  }
  const now = Date.now();
  const set = sealedColumns(keyring(doors.config.masterKeys), flow);
  return switchOn(doors, flow, flow, { now, started: newStart(flow, now), set });
}

/** Stops a flow: nothing starts a run any more, and steps that are still waiting are not sent. */
export async function stopFlow(doors: FlowDoors, flow: Owned): Promise<void> {
  const orm = drizzle(doors.db);
  await orm.batch([
    orm.delete(flowTriggers).where(eq(flowTriggers.flowId, flow.id)),
    orm.update(flows).set({ stage: "stopped" }).where(eq(flows.id, flow.id)),
  ]);
  await finishStop(doors, flow);
}

/** Ends when the stop is in effect everywhere. */
async function finishStop(doors: FlowDoors, flow: Owned): Promise<void> {
  await tellDirectory(doors.db, `flow:${flow.id}`);
  await Promise.all([invalidateTriggers(doors, flow, [flow.id]), scheduler.wait(STOP_WAIT_MS)]);
}

/** Stops a flow and forgets it, its destinations and its unprocessed messages. */
export async function deleteFlow(doors: FlowDoors, flow: Owned): Promise<void> {
  const { db } = doors;
  const orm = drizzle(db);
  await orm.batch([
    orm.delete(flowTriggers).where(eq(flowTriggers.flowId, flow.id)),
    orm.delete(unprocessed).where(eq(unprocessed.flowId, flow.id)),
    orm.delete(flowStreams).where(eq(flowStreams.flowId, flow.id)),
    orm.delete(flows).where(eq(flows.id, flow.id)),
    ...(await deleteDestinationsOf(db, "flow-step", flow.id)),
  ]);
  await finishStop(doors, flow);
}

/**
 * Sets fields of a flow. One that is running continues with them, and so do its runs, unless `dropRuns`.
 * @throws Refusal when a running flow could not run with them, or a row could not hold them.
 */
export async function replaceFlow(
  doors: FlowDoors,
  flow: Flow,
  columns: Partial<Flow>,
  { dropRuns = false }: { dropRuns?: boolean } = {},
): Promise<Change> {
  const now = Date.now();
  const changed = { ...flow, ...columns, mtime: now, revision: flow.revision + 1 };
  const { mtime, revision } = changed;
  const sealed = sealedColumns(keyring(doors.config.masterKeys), changed);
  const set = { ...columns, ...sealed, mtime, revision };
  checkSize({ ...flow, ...set });
  if (flow.stage === "running") {
    const started = dropRuns ? newStart(flow, now) : (flow.started ?? now);
    return switchOn(doors, flow, { ...flow, ...set }, { now, started, set });
  }
  const rows = await drizzle(doors.db)
    .update(flows)
    .set(set)
    .where(unchanged(flow))
    .returning({ id: flows.id });
  return rows.length > 0 ? "done" : "changed";
}

type Owned = Pick<Flow, "id" | "organizationId" | "userId">;

/** Later than every earlier start of this flow, whatever the clocks say. */
const newStart = (flow: Flow, now: number): number => Math.max(now, (flow.started ?? 0) + 1);
