import { Hono } from "hono";
import { type UserEnv, withUser } from "../accounts/users/routes";
import type { User } from "../accounts/users/store";
import { readConfig } from "../config";
import { parse, readTypedJson } from "../http/body";
import { forbidden, invalid, notFound } from "../http/refusal";
import { columnsOf, flowFields } from "./fields";
import { type Flow, flowView, projected } from "./flow";
import { flowDoors } from "./doors";
import { deleteFlow, editFlow, retryChanges } from "./lifecycle.store";
import { createFlow, newFlow, readFlow, readOwnFlow } from "./store";
import { watchFlow } from "./watch.io";
import { savable } from "./validation/refusals";

export const FLOW_BYTES = 1_048_576;
/** The id of a flow, when a client chooses it. */
const FLOW_ID = /^[\w-]{1,64}$/;

/** Flows (reference app-events-api.md §6). */
export const flowRoutes = new Hono<UserEnv>()
  .post("/flows", withUser, async (c) => {
    const fields = parse(flowFields, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const flowId = crypto.randomUUID();
    const { egress } = readConfig(c.env);
    await createFlow(
      flowDoors(c.env),
      newFlow(c.var.user, flowId, savable(columnsOf(fields), egress)),
    );
    return c.json({ flowId });
  })
  .get("/flows/:id", withUser, async (c) => {
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    return c.json(projected(flowView(flow), c.req.query("projection")));
  })
  .put("/flows/:id", withUser, async (c) => {
    const id = c.req.param("id");
    const fields = parse(flowFields, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const columns = savable(columnsOf(fields), readConfig(c.env).egress);
    const isForced = c.req.query("forceUpdate") === "true";
    await retryChanges(async () => {
      const flow = await readOwnFlow(c.env.DB, c.var.user.id, id);
      if (flow === undefined) {
        if (!FLOW_ID.test(id)) throw invalid(`'${id}' is not a flow id`);
        if (!(await createFlow(flowDoors(c.env), newFlow(c.var.user, id, columns))))
          throw notFound(`No flow with id '${id}'`);
        return "done";
      }
      watchFlow(c, flow);
      return editFlow(flowDoors(c.env), flow, columns, isForced);
    });
    return c.json({ flowId: id, result: "updated" });
  })
  .delete("/flows/:id", withUser, async (c) => {
    const flow = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    await deleteFlow(flowDoors(c.env), watchFlow(c, flow));
    return c.json({ flowId: flow.id });
  });

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
