import { inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flows } from "../db/flows";
import { type Descriptor, readDescriptor } from "./descriptor";
import type { Flow } from "./flow";
import { Cache } from "../values/cache";
import { chunks } from "../values/lists";

/** A flow that runs, and what it runs by. */
export type RunningFlow = { flow: Flow; descriptor: Descriptor };

/** Whether a flow runs; undefined when it does not. */
export type ReadRunning = (flowId: string) => Promise<RunningFlow | undefined>;

/** How long an isolate takes a flow for running without asking D1 again. */
const TRUST_MS = 200;
/** A stop is answered so long after it was written: by then nobody takes the flow for running any more. */
export const STOPPED_MS = 300;
const MOST_KNOWN = 2_000;
const MOST_BOUND = 90;
/** What an isolate read of flows; good as long as D1 tells the same revision. */
const known = new Cache<string, RunningFlow>(MOST_KNOWN);
const trusted = new Cache<string, RunningFlow>(MOST_KNOWN);

const standing = {
  id: flows.id,
  stage: flows.stage,
  started: flows.started,
  revision: flows.revision,
  mtime: flows.mtime,
};

/**
 * Tells whether a flow runs, for a step that is about to leave: none leaves once a stop was answered. Those asked
 * for together share a query, which reads one narrow row a flow; the flow itself is read when its revision is new.
 */
export function readRunningFlows(db: D1Database): ReadRunning {
  let next: { ids: Set<string>; found: Promise<Map<string, RunningFlow>> } | undefined;
  return async (flowId) => {
    const running = trusted.get(flowId, Date.now());
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
  // What is read now may be as old as the question.
  const now = Date.now();
  for (const part of chunks(ids, MOST_BOUND)) {
    const rows = await drizzle(db).select(standing).from(flows).where(inArray(flows.id, part));
    for (const row of rows) {
      if (row.stage !== "running") continue;
      const entry = known.get(row.id, now);
      const isFresh = entry?.flow.revision === row.revision && entry.flow.mtime === row.mtime;
      const running = isFresh ? withStart(entry, row.started) : await readWhole(db, row.id);
      if (running !== undefined) found.set(row.id, running);
    }
  }
  for (const [id, running] of found) trusted.set(id, running, now + TRUST_MS);
  return found;
}

const withStart = (entry: RunningFlow, started: number | null): RunningFlow =>
  entry.flow.started === started ? entry : { ...entry, flow: { ...entry.flow, started } };

async function readWhole(db: D1Database, id: string): Promise<RunningFlow | undefined> {
  const [flow] = await drizzle(db)
    .select()
    .from(flows)
    .where(inArray(flows.id, [id]));
  const read = flow?.stage === "running" ? readDescriptor(flow.flow) : undefined;
  if (flow === undefined || read === undefined || !read.ok) return undefined;
  const running = { flow, descriptor: read.descriptor };
  known.set(id, running, Infinity);
  return running;
}
