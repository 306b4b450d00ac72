import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { activeUser } from "../accounts/open.store";
import { formOf, Section } from "../db/directory/find";
import { flows } from "../db/flows";
import { within } from "../db/within";
import { Cache } from "../values/cache";
import { readDescriptor } from "./descriptor";
import type { Flow, RunningFlow } from "./flow";

/**
 * Is this flow running? Every step asks right before it leaves, and a stop is exact: no step leaves once the stop
 * was answered. Asking the directory (`db/directory/find.ts`) for each step would be dear, so an isolate believes an answer
 * for 200 ms, and a stop is answered 300 ms after the directory was told of it:
 *
 *     0 ms    an isolate reads that the flow is running
 *     1 ms    the directory is told of the stop; its answer waits
 *     200 ms  the isolate no longer believes what it read; the next step reads that the flow was stopped
 *     301 ms  the stop is answered
 *
 * A request that is on its way when the stop is answered arrives; nothing follows it.
 */
const BELIEVED_MS = 200;
/** How long a stop waits for its answer after the directory was told. */
export const STOP_WAIT_MS = 300;

export type ReadRunning = (flowId: string) => Promise<RunningFlow | undefined>;

const MOST_FLOWS = 2_000;
/** Flows that were running a moment ago. */
const believed = new Cache<string, RunningFlow>(MOST_FLOWS);
const section = new Section<Kept>(`${formOf(flows)} 1`);

type Kept = { flow: Flow; isUserActive: boolean };

/**
 * Finds flows that are running. Questions of the same moment share one request.
 * @returns a function that gives undefined for a flow that is not running, or whose user is switched off.
 */
export function readRunningFlows(db: D1Database): ReadRunning {
  let next: { ids: Set<string>; found: Promise<Map<string, RunningFlow>> } | undefined;
  return async (flowId) => {
    const running = believed.get(flowId, Date.now());
    if (running !== undefined) return running;
    if (next === undefined) {
      const ids = new Set<string>();
      const gathered = Promise.resolve().then(() => {
        next = undefined;
        return readAll(db, [...ids]);
      });
      next = { ids, found: gathered };
    }
    next.ids.add(flowId);
    return (await next.found).get(flowId);
  };
}

async function readAll(db: D1Database, ids: readonly string[]): Promise<Map<string, RunningFlow>> {
  const found = new Map<string, RunningFlow>();
  // The answer may be as old as the question: it is believed from here on, not from when it came.
  const now = Date.now();
  const kept = await section.find(ids.map(keyOf), (missing) => {
    const unknown = new Set(missing);
    return readKept(
      db,
      ids.filter((id) => unknown.has(keyOf(id))),
    );
  });
  for (const one of kept.values()) {
    const running = one.flow.stage === "running" && one.isUserActive ? runningOf(one) : undefined;
    if (running === undefined) continue;
    found.set(one.flow.id, running);
    believed.set(one.flow.id, running, now + BELIEVED_MS);
  }
  return found;
}

const keyOf = (id: string): string => `flow:${id}`;

async function readKept(db: D1Database, ids: readonly string[]): Promise<Map<string, Kept>> {
  const isUserActive = sql.raw(activeUser("flows.user_id")).mapWith(Boolean);
  const rows = await drizzle(db)
    .select({ flow: flows, isUserActive })
    .from(flows)
    .where(within(flows.id, ids));
  return new Map(rows.map((row) => [keyOf(row.flow.id), row]));
}

/** An isolate reads the descriptor of what it remembers once. */
const descriptors = new WeakMap<Kept, RunningFlow>();

function runningOf(kept: Kept): RunningFlow | undefined {
  const known = descriptors.get(kept);
  if (known !== undefined) return known;
  const parsed = readDescriptor(kept.flow.flow);
  if (!parsed.ok) return undefined;
  const running = { flow: kept.flow, descriptor: parsed.descriptor };
  descriptors.set(kept, running);
  return running;
}
