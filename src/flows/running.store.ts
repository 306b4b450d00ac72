import { inArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { activeUser } from "../accounts/open.store";
import { flows } from "../db/flows";
import { Cache } from "../values/cache";
import { chunks } from "../values/lists";
import { readDescriptor } from "./descriptor";
import type { RunningFlow } from "./flow";

/**
 * Is this flow running? Every step asks right before it leaves, and a stop is exact: no step leaves once the stop
 * was answered. Asking D1 for each step would be dear, so an isolate believes an answer for 200 ms, and a stop is
 * answered 300 ms after it was written:
 *
 *     0 ms    an isolate reads that the flow is running
 *     1 ms    the stop is written; its answer waits
 *     200 ms  the isolate no longer believes what it read; the next step reads that the flow was stopped
 *     301 ms  the stop is answered
 *
 * A request that is on its way when the stop is answered arrives; nothing follows it.
 */
const BELIEVED_MS = 200;
/** How long a stop waits for its answer after it was written. */
export const STOP_WAIT_MS = 300;

export type ReadRunning = (flowId: string) => Promise<RunningFlow | undefined>;

const MOST_FLOWS = 2_000;
const MOST_BOUND = 90;
/** Flows that were running a moment ago. */
const believed = new Cache<string, RunningFlow>(MOST_FLOWS);
/** Flows as they were read whole; as good as new while D1 names the same revision. */
const read = new Cache<string, RunningFlow>(MOST_FLOWS);

/** Enough of a flow to tell whether it is running, and whether what was read of it is up to date. */
const stateColumns = {
  id: flows.id,
  stage: flows.stage,
  started: flows.started,
  revision: flows.revision,
  mtime: flows.mtime,
  isUserActive: sql.raw(activeUser("flows.user_id")).mapWith(Boolean),
};

/**
 * Reads flows that are running. Questions of the same moment share one query, which reads a narrow row a flow;
 * only a flow whose revision is new is read whole.
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
  for (const part of chunks(ids, MOST_BOUND)) {
    const rows = await drizzle(db).select(stateColumns).from(flows).where(inArray(flows.id, part));
    for (const row of rows) {
      if (row.stage !== "running" || !row.isUserActive) continue;
      const entry = read.get(row.id, now);
      const isUpToDate = entry?.flow.revision === row.revision && entry.flow.mtime === row.mtime;
      const running = isUpToDate ? withStart(entry, row.started) : await readWhole(db, row.id);
      if (running !== undefined) found.set(row.id, running);
    }
  }
  for (const [id, running] of found) believed.set(id, running, now + BELIEVED_MS);
  return found;
}

/** A start changes neither revision nor `mtime`. */
const withStart = (entry: RunningFlow, started: number | null): RunningFlow =>
  entry.flow.started === started ? entry : { ...entry, flow: { ...entry.flow, started } };

async function readWhole(db: D1Database, id: string): Promise<RunningFlow | undefined> {
  const [flow] = await drizzle(db)
    .select()
    .from(flows)
    .where(inArray(flows.id, [id]));
  const parsed = flow?.stage === "running" ? readDescriptor(flow.flow) : undefined;
  if (flow === undefined || parsed?.ok !== true) return undefined;
  const running = { flow, descriptor: parsed.descriptor };
  read.set(id, running, Infinity);
  return running;
}
