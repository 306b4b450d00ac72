import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { BatchItem } from "drizzle-orm/batch";
import { readTokenUser } from "../accounts/users/store";
import { type Config, readConfig } from "../config";
import { flows, flowStreams, flowTriggers, unprocessed } from "../db/flows";
import { keyring } from "../db/sealed";
import { deleteDestinationsOf, saveDestination } from "../delivery/destinations.store";
import { conflict, forbidden } from "../http/refusal";
import { triggerKind } from "./components";
import type { Descriptor } from "./descriptor";
import type { Flow } from "./flow";
import { stepDestinationId } from "./ids";
import { STOP_WAIT_MS } from "./running.store";
import { checkSize } from "./store";
import { announceTriggers } from "./triggers/app-event-triggers.store";
import { scheduleMinute, triggerRow } from "./triggers/store";
import { startable } from "./validation/refusals";

/**
 * Switching flows on and off. D1 holds the truth; each switch is over only once the owner's stream knows that
 * its triggers changed, so an app event that comes after the answer meets them as they are now.
 */
export type FlowDoors = { db: D1Database; streams: Env["EVENT_STREAMS"]; config: Config };

const TRIES = 5;

/** Whether it was done; `changed`: somebody else changed the flow since it was read, and nothing was done. */
export type Switched = "done" | "changed";

export const flowDoors = (env: Env): FlowDoors => ({
  db: env.DB,
  streams: env.EVENT_STREAMS,
  config: readConfig(env),
});

/** Reads and switches anew while others change the same flow. @throws Refusal `conflict` when they never end. */
export async function settled(attempt: () => Promise<Switched>): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) if ((await attempt()) === "done") return;
  throw conflict("The flow is being changed by somebody else: try again");
}

/** Starts a flow, unless it runs. @throws Refusal naming what is wrong with it. */
export async function startFlow(doors: FlowDoors, flow: Flow): Promise<Switched> {
  if (flow.stage === "running") {
    await announceTriggers(doors.streams, flow);
    return "done";
  }
  const now = Date.now();
  return switchOn(doors, flow, flow, { now, started: after(flow, now), set: {} });
}

/** Switches a flow off: nothing starts it any more, and what waits for its turn is not sent. */
export async function stopFlow(doors: FlowDoors, flow: Owned): Promise<void> {
  const orm = drizzle(doors.db);
  await orm.batch([
    orm.delete(flowTriggers).where(eq(flowTriggers.flowId, flow.id)),
    orm.update(flows).set({ stage: "stopped" }).where(eq(flows.id, flow.id)),
  ]);
  await announceStop(doors, flow);
}

async function announceStop({ streams }: FlowDoors, flow: Owned): Promise<void> {
  await Promise.all([announceTriggers(streams, flow), scheduler.wait(STOP_WAIT_MS)]);
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
  await announceStop(doors, flow);
}

/**
 * Sets fields of a flow; one that is running goes on with them, its runs included, unless they are to be
 * dropped. @throws Refusal when a running flow could not run with them, or a row could not hold them.
 */
export async function replaceFlow(
  doors: FlowDoors,
  flow: Flow,
  columns: Partial<Flow>,
  { dropRuns = false }: { dropRuns?: boolean } = {},
): Promise<Switched> {
  const now = Date.now();
  const set = { ...columns, mtime: now, revision: flow.revision + 1 };
  checkSize({ ...flow, ...set });
  if (flow.stage === "running") {
    const started = dropRuns ? after(flow, now) : (flow.started ?? now);
    return switchOn(doors, flow, { ...flow, ...set }, { now, started, set });
  }
  const rows = await drizzle(doors.db)
    .update(flows)
    .set(set)
    .where(unchanged(flow))
    .returning({ id: flows.id });
  return rows.length > 0 ? "done" : "changed";
}

/** What tells whose triggers they are. */
type Owned = Pick<Flow, "id" | "organizationId" | "userId">;

/** Later than every earlier start of this flow, whatever the clocks say. */
const after = (flow: Flow, now: number): number => Math.max(now, (flow.started ?? 0) + 1);

/** Stage and what else is `set`, triggers and the destinations of the steps in one batch. */
async function switchOn(
  doors: FlowDoors,
  read: Flow,
  flow: Flow,
  { now, started, set }: { now: number; started: number; set: Partial<Flow> },
): Promise<Switched> {
  const { db, config } = doors;
  const descriptor = await permittedToStart(doors, flow);
  const minute = await scheduleMinute(db, now);
  const orm = drizzle(db);
  const ring = keyring(config.masterKeys);
  const saved: BatchItem<"sqlite">[] = [];
  for (const { id, type, transform } of descriptor.values()) {
    if (triggerKind(type) === undefined) {
      const draft = {
        id: stepDestinationId(flow.id, id),
        organizationId: flow.organizationId,
        kind: "flow-step" as const,
        ownerId: flow.id,
        url: fixedUrl(transform),
        headers: {},
        legacyKey: null,
      };
      saved.push(...(await saveDestination(db, ring, draft, now)));
    } else
      saved.push(
        orm.insert(flowTriggers).values(triggerRow(flow, descriptor, id, started, minute)),
      );
  }
  try {
    await orm.batch([
      // Breaks a constraint, and with it the whole batch, when the flow is not as it was read.
      orm
        .insert(flowTriggers)
        .select(
          sql`SELECT NULL, '', 0, 0, 'webhook', '', 0, '[]', '{}', NULL, 0 WHERE NOT EXISTS (SELECT 1 FROM ${flows} WHERE ${unchanged(read)})`,
        ),
      orm.delete(flowTriggers).where(eq(flowTriggers.flowId, flow.id)),
      orm
        .update(flows)
        .set({ ...set, stage: "running", started })
        .where(eq(flows.id, flow.id)),
      ...saved,
    ]);
  } catch (error) {
    if (isBroken(error)) return "changed";
    throw error;
  }
  await announceTriggers(doors.streams, flow);
  return "done";
}

function unchanged({ id, revision, stage, started }: Flow) {
  return and(
    eq(flows.id, id),
    eq(flows.revision, revision),
    eq(flows.stage, stage),
    sql`${flows.started} IS ${started}`,
  );
}

function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("NOT NULL constraint failed") || isBroken(error.cause);
}

/**
 * What a flow runs by. Resources belong to the whole organization: only its administrators' flows may
 * listen to them. @throws Refusal naming what is wrong with it.
 */
async function permittedToStart(
  { db, config }: Pick<FlowDoors, "db" | "config">,
  flow: Flow,
): Promise<Descriptor> {
  const descriptor = startable(flow, config.egress);
  const listens = [...descriptor.values()].some(({ type }) => triggerKind(type) === "resource");
  const owner = listens ? await readTokenUser(db, flow.userId, Date.now()) : undefined;
  if (listens && owner?.role !== "admin")
    throw forbidden("Only an administrator's flow may listen to resources");
  return descriptor;
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
