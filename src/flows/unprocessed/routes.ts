import { type Context, Hono } from "hono";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { watchChange } from "../../accounts/watch.io";
import { conflict, notFound } from "../../http/refusal";
import { readOffset, readWholeNumber } from "../../http/numbered-page";
import { readDescriptor } from "../descriptor";
import { readStep } from "../steps/message";
import { readOwnFlow } from "../store";
import {
  deleteIfUnchanged,
  deleteUnprocessed,
  listUnprocessed,
  readUnprocessed,
  type Unprocessed,
} from "./store";
import { unprocessedView } from "./view";

/** Steps that failed for good (reference app-events-api.md §9). */
export const unprocessedRoutes = new Hono<UserEnv>()
  .use("/unprocessed-messages/*", withUser)
  .get("/unprocessed-messages", async (c) => {
    const { flowId, correlationId } = c.req.query();
    const rows = await listUnprocessed(c.env.DB, c.var.user.id, {
      ...(flowId === undefined ? {} : { flowId }),
      ...(correlationId === undefined ? {} : { correlationId }),
      limit: readWholeNumber(c.req.query("limit"), "limit", 20, 100),
      offset: readOffset(c.req.query("offset"), "offset"),
    });
    return c.json(await Promise.all(rows.map((row) => view(c.env, row))));
  })
  .get("/unprocessed-messages/:id", async (c) =>
    c.json(await view(c.env, await found(c.env.DB, c.var.user.id, c.req.param("id")))),
  )
  .delete("/unprocessed-messages/:id", async (c) => {
    watchMessage(c, await found(c.env.DB, c.var.user.id, c.req.param("id")));
    await deleteUnprocessed(c.env.DB, c.var.user.id, c.req.param("id"));
    return c.json({});
  })
  .on(
    "POST",
    ["/unprocessed-messages/:id", "/unprocessed-messages/:id/retry"],
    async (c): Promise<Response> => {
      const row = await found(c.env.DB, c.var.user.id, c.req.param("id") ?? "");
      watchMessage(c, row);
      const flow = await readOwnFlow(c.env.DB, row.userId, row.flowId);
      if (flow?.stage !== "running") throw conflict("The flow is not running: start it first");
      const replayed = await c.env.EVENT_STREAMS.getByName(row.stream).replay(row.seq);
      if (replayed === null) throw notFound(`The message with id '${row.id}' is no longer kept`);
      // It may have failed again already: then the entry is about the new failure, and stays.
      await deleteIfUnchanged(c.env.DB, row);
      return c.json({});
    },
  );

/** Tells the audit log that a request may take a message off the list. */
function watchMessage(c: Context<UserEnv>, row: Unprocessed): void {
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

async function found(db: D1Database, userId: number, id: string): Promise<Unprocessed> {
  const row = await readUnprocessed(db, userId, id);
  if (row === undefined) throw notFound(`No unprocessed message with id '${id}'`);
  return row;
}

async function view(env: Env, row: Unprocessed): Promise<Record<string, unknown>> {
  const [body, flow] = await Promise.all([
    env.EVENT_STREAMS.getByName(row.stream).notificationBody(row.seq),
    readOwnFlow(env.DB, row.userId, row.flowId),
  ]);
  const read = readDescriptor(flow?.flow ?? {});
  const message = body === null ? undefined : readStep(body);
  return unprocessedView(row, message, read.ok ? read.descriptor : new Map());
}
