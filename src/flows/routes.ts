import { Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../accounts/users/routes";
import { readTokenUser, type User } from "../accounts/users/store";
import { readConfig } from "../config";
import { keyring } from "../db/sealed";
import { parse, readTypedJson } from "../http/body";
import { conflict, forbidden, invalid, notFound } from "../http/refusal";
import { whole } from "../http/paging";
import { triggerKind } from "./components";
import type { Descriptor } from "./descriptor";
import { columnsOf, flowDraft } from "./draft";
import { type Flow, flowView, isFiltered, parseFilter, type Permission, projected } from "./flow";
import {
  changeFlow,
  countFlows,
  createFlow,
  deleteFlow,
  listFlows,
  type ListRequest,
  readFlow,
  readOwnFlow,
  startFlow,
  stopFlow,
} from "./store";
import { scheduleMinute } from "./triggers/store";
import { allFaults, startable } from "./validated";

export const FLOW_BYTES = 1_048_576;
const LIST_DEFAULT = 100;
const LIST_MOST = 1_000;
/** What a client may call a flow it brings an id for. */
const FLOW_ID = /^[\w-]{1,64}$/;

const command = z.object({
  command: z.enum(["start", "stop"]),
  background: z.unknown().optional(),
});

/** Flows (reference `app-events-api.md` §6). */
export const flowRoutes = new Hono<UserEnv>()
  .post("/flows", withUser, async (c) => {
    const draft = parse(flowDraft, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const flowId = crypto.randomUUID();
    await createFlow(c.env.DB, newFlow(c.var.user, flowId, columnsOf(draft)));
    return c.json({ flowId });
  })
  .get("/flows", withUser, async (c) => {
    const request = listRequest(c.req.queries(), c.req.query());
    const found = await listFlows(c.env.DB, c.var.user, request);
    return c.json(found.map((flow) => projected(flowView(flow), c.req.query("projection"))));
  })
  .get("/flows/count", withUser, async (c) => {
    const request = listRequest(c.req.queries(), c.req.query());
    return c.json({ count: await countFlows(c.env.DB, c.var.user, request) });
  })
  .get("/flows/:id", withUser, async (c) => {
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    return c.json(projected(flowView(flow), c.req.query("projection")));
  })
  .put("/flows/:id", withUser, async (c) => {
    const id = c.req.param("id");
    const draft = parse(flowDraft, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const columns = columnsOf(draft);
    const flow = await readOwnFlow(c.env.DB, c.var.user.id, id);
    if (flow === undefined) {
      if (!FLOW_ID.test(id)) throw invalid(`'${id}' is not a flow id`);
      if (!(await createFlow(c.env.DB, newFlow(c.var.user, id, columns))))
        throw notFound(`No flow with id '${id}'`);
      return c.json({ flowId: id, result: "updated" });
    }
    if (flow.stage === "running" && c.req.query("forceUpdate") !== "true")
      throw conflict("The flow is running: stop it first, or use forceUpdate=true");
    await replaceFlow(c.env, flow, columns);
    return c.json({ flowId: id, result: "updated" });
  })
  .delete("/flows/:id", withUser, async (c) => {
    const flow = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    await deleteFlow(c.env.DB, flow.id);
    return c.json({ flowId: flow.id });
  })
  .post("/flows/:id/coordinator", withUser, async (c) => {
    const asked = parse(command, (await readTypedJson(c, FLOW_BYTES)).value);
    const flow = await permitted(c.env.DB, c.var.user, c.req.param("id"), asked.command);
    if (asked.command === "start") await start(c.env, flow);
    else if (flow.stage === "running") await stopFlow(c.env.DB, flow.id);
    const background = asked.background ?? c.req.query("background");
    const inBackground = background === true || background === "true";
    return c.json({
      flowId: flow.id,
      ...(inBackground ? { ticket: crypto.randomUUID() } : {}),
    });
  })
  .get("/flows/:id/coordinator/status", withUser, async (c) => {
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    // A stop is over before it is answered.
    return c.json({ status: "completed", stepsTotal: Object.keys(flow.flow).length });
  })
  .get("/flows/:id/validate", withUser, async (c) => {
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    return c.json({ errors: allFaults(flow) });
  });

/** A new flow of this user, stopped. */
export function newFlow(
  user: Pick<User, "id" | "organizationId">,
  id: string,
  columns: ReturnType<typeof columnsOf>,
): Parameters<typeof createFlow>[1] {
  const now = Date.now();
  return {
    id,
    organizationId: user.organizationId,
    userId: user.id,
    btime: now,
    mtime: now,
    ...columns,
    name: columns.name ?? "New flow",
    flow: columns.flow ?? {},
  };
}

/** Sets fields of a flow; one that is running goes on with them, its runs included. */
export async function replaceFlow(
  env: Env,
  flow: Flow,
  columns: ReturnType<typeof columnsOf> & Pick<Partial<Flow>, "originFlow" | "componentIdMap">,
  options: { dropRuns?: boolean } = {},
): Promise<void> {
  const now = Date.now();
  const changed: Flow = { ...flow, ...columns, mtime: now, revision: flow.revision + 1 };
  const set = { ...columns, mtime: now, revision: changed.revision };
  if (flow.stage !== "running") return changeFlow(env.DB, flow.id, set);
  await startFlow(
    env.DB,
    keyring(readConfig(env).masterKeys),
    changed,
    await permittedToStart(env, changed),
    {
      now,
      startedAt: options.dropRuns === true ? now : (flow.started ?? now),
      minute: await scheduleMinute(env.DB, now),
      set,
    },
  );
}

/** Starts a flow, unless it runs. @throws Refusal naming what is wrong with it. */
export async function start(env: Env, flow: Flow): Promise<void> {
  if (flow.stage === "running") return;
  const descriptor = await permittedToStart(env, flow);
  const now = Date.now();
  await startFlow(env.DB, keyring(readConfig(env).masterKeys), flow, descriptor, {
    now,
    startedAt: now,
    minute: await scheduleMinute(env.DB, now),
    set: {},
  });
}

/**
 * What a flow runs by. Resources belong to the whole organization: only its administrators' flows may
 * listen to them. @throws Refusal naming what is wrong with it.
 */
async function permittedToStart(env: Env, flow: Flow): Promise<Descriptor> {
  const descriptor = startable(flow);
  const listens = [...descriptor.values()].some(({ type }) => triggerKind(type) === "resource");
  const owner = listens ? await readTokenUser(env.DB, flow.userId, Date.now()) : undefined;
  if (listens && owner?.role !== "admin")
    throw forbidden("Only an administrator's flow may listen to resources");
  return descriptor;
}

/** @throws Refusal `not-found` when there is none that this user may see. */
export async function visibleFlow(db: D1Database, user: User, id: string): Promise<Flow> {
  const flow = await readFlow(db, user, id);
  if (flow === undefined) throw notFound(`No flow with id '${id}'`);
  return flow;
}

/** @throws Refusal `not-found` when the flow is invisible, `forbidden` when it is only shared. */
export async function ownFlow(db: D1Database, user: User, id: string): Promise<Flow> {
  const flow = await visibleFlow(db, user, id);
  if (flow.userId !== user.id) throw forbidden("Only its owner may change a flow");
  return flow;
}

async function permitted(
  db: D1Database,
  user: User,
  id: string,
  permission: Permission,
): Promise<Flow> {
  const flow = await readFlow(db, user, id, permission);
  if (flow !== undefined) return flow;
  await visibleFlow(db, user, id);
  throw forbidden(`The flow is not shared with permission to ${permission} it`);
}

function listRequest(
  queries: Record<string, string[]>,
  query: Record<string, string>,
): ListRequest {
  const filters = (queries["filter"] ?? []).map((text) => {
    const filter = parseFilter(text);
    if (filter === undefined) throw invalid(`filter: '${text}' is not key:value`, "filter");
    const { field } = filter;
    if (!isFiltered(field)) throw invalid(`filter: There is no field '${field}'`, "filter");
    return { ...filter, field };
  });
  const [field = "", direction = "1"] = (query["sort"] ?? "mtime:-1").split(":");
  if (!isFiltered(field)) throw invalid(`sort: There is no field '${field}'`, "sort");
  const permissions = (query["sharedWithPermissions"] ?? "read").split(",").map((permission) => {
    if (permission === "read" || permission === "start" || permission === "stop") return permission;
    throw invalid(
      `sharedWithPermissions: '${permission}' is not one of read, start, stop`,
      "sharedWithPermissions",
    );
  });
  const offset = Number(query["offset"] ?? "0");
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw invalid(`offset: Expected a whole number, got '${query["offset"]}'`, "offset");
  return {
    permissions,
    filters,
    pattern: query["pattern"],
    sort: { field, descending: direction === "-1" || direction.toLowerCase() === "desc" },
    offset,
    limit: whole(query["limit"], "limit", LIST_DEFAULT, LIST_MOST),
  };
}
