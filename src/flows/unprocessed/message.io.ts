import { watchChange } from "../../accounts/watch.io";
import { conflict, notFound } from "../../http/refusal";
import { readDescriptor } from "../descriptor";
import { readStep } from "../steps/message";
import { readOwnFlow } from "../store";
import { deleteIfUnchanged, readUnprocessed, type Unprocessed } from "./store";
import { unprocessedView } from "./view";

/** As much of a request's context as it takes. */
type Request = Parameters<typeof watchChange>[0] & { env: Pick<Env, "DB"> };

/** Sends a message again. @throws Refusal `conflict` while its flow is stopped, `not-found` when it is no longer kept. */
export async function retryMessage(
  env: Pick<Env, "DB" | "EVENT_STREAMS">,
  row: Unprocessed,
): Promise<void> {
  const flow = await readOwnFlow(env.DB, row.userId, row.flowId);
  if (flow?.stage !== "running") throw conflict("The flow is not running: start it first");
  const replayed = await env.EVENT_STREAMS.getByName(row.stream).replay(row.seq);
  if (replayed === null) throw notFound(`The message with id '${row.id}' is no longer kept`);
  // It may have failed again already: then the entry is about the new failure, and stays.
  await deleteIfUnchanged(env.DB, row);
}

/** Tells the audit log that a request may take a message off the list. */
export function watchMessage(c: Request, row: Unprocessed): void {
  const stateOf = ({ flowId, componentId, correlationId, error }: Unprocessed) => ({
    flowId,
    componentId,
    correlationId,
    error,
  });
  watchChange(
    c,
    () => stateOf(row),
    async () => {
      const now = await readUnprocessed(c.env.DB, row.userId, row.id);
      return now && stateOf(now);
    },
  );
}

/** @throws Refusal `not-found` for one that is not this user's. */
export async function foundMessage(
  db: D1Database,
  userId: number,
  id: string,
): Promise<Unprocessed> {
  const row = await readUnprocessed(db, userId, id);
  if (row === undefined) throw notFound(`No unprocessed message with id '${id}'`);
  return row;
}

/** A message as its owner sees it, with what it carries while its stream keeps that. */
export async function messageView(env: Env, row: Unprocessed): Promise<Record<string, unknown>> {
  const [body, flow] = await Promise.all([
    env.EVENT_STREAMS.getByName(row.stream).notificationBody(row.seq),
    readOwnFlow(env.DB, row.userId, row.flowId),
  ]);
  const read = readDescriptor(flow?.flow ?? {});
  const message = body === null ? undefined : readStep(body);
  return unprocessedView(row, message, read.ok ? read.descriptor : new Map());
}
