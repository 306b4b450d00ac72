import { Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { readConfig } from "../../config";
import { parse, readTypedJson } from "../../http/body";
import { notFound } from "../../http/refusal";
import { flowDoors } from "../doors";
import { columnsOf } from "../fields";
import { deleteFlow } from "../lifecycle.store";
import { FLOW_BYTES, ownFlow, visibleFlow } from "../routes";
import { unmasked } from "../sealed-flow";
import { createFlow, newFlow } from "../store";
import { watchFlow } from "../watch.io";
import { savable } from "../validation/refusals";
import { cloneRequest, copiedFields } from "./clone";
import { newIds, withIds } from "./component-ids";
import { publish } from "./publish.io";
import { countFlowsFrom, instancesOf } from "./store";
import { createTicket, readTicket, type Ticket } from "./tickets.store";
import { advance } from "./update.io";

/** A request spends about so many queries on an update; so does each request that asks how far it is. */
const QUERIES_A_REQUEST = 300;

const updateRequest = z.object({ inProgressData: z.enum(["keep", "delete"]).default("keep") });

/** Templates, what is made from them, and drafts (reference app-events-api.md §7). */
export const templateRoutes = new Hono<UserEnv>()
  .post("/flows/:id/clone", withUser, async (c) => {
    const origin = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    const request = parse(cloneRequest, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const cloneId = crypto.randomUUID();
    const ids = newIds(origin.flow, () => crypto.randomUUID());
    const flow = withIds(origin.flow, ids);
    const type = request.isTemplateInstance ? "integration-instance" : origin.type;
    await createFlow(flowDoors(c.env), {
      ...newFlow(c.var.user, cloneId, { name: origin.name, flow, type }),
      ...copiedFields(origin, flow, ids, request, c.var.user.id),
      ...unmasked(savable(columnsOf(request.additional), readConfig(c.env).egress), {
        ...origin,
        flow,
      }),
    });
    return c.json({ cloneId });
  })
  .post("/drafts/:id/publish", withUser, async (c) => {
    const draft = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    const isForced = c.req.query("forceUpdate") === "true";
    return c.json({ flowId: await publish(flowDoors(c.env), c.var.user, draft, isForced) });
  })
  .post("/integrations/:id/update-integration-instances", withUser, async (c) => {
    const template = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    const wanted = parse(updateRequest, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const ticket: Ticket = {
      ...newTicket(c.var.user.id, template.id),
      dropRuns: wanted.inProgressData === "delete",
      stepsTotal: await countFlowsFrom(c.env.DB, instancesOf(template)),
    };
    await createTicket(c.env.DB, ticket);
    await advance(flowDoors(c.env), ticket, QUERIES_A_REQUEST);
    return c.json({ ticket: ticket.id });
  })
  .get("/integrations/status/:ticket", withUser, async (c) => {
    const found = await readTicket(c.env.DB, c.var.user.id, c.req.param("ticket"));
    if (found === undefined) throw notFound(`No ticket '${c.req.param("ticket")}'`);
    const { status, stepsTotal, stepsDone, errors } = await advance(
      flowDoors(c.env),
      found,
      QUERIES_A_REQUEST,
    );
    return c.json({ status, stepsTotal, stepsDone, errors });
  })
  .delete("/integrations/:id", withUser, async (c) => {
    const flow = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    await deleteFlow(flowDoors(c.env), watchFlow(c, flow));
    const ticket: Ticket = {
      ...newTicket(c.var.user.id, flow.id),
      status: "completed",
      stepsDone: 1,
      lastId: flow.id,
    };
    await createTicket(c.env.DB, ticket);
    return c.json({ ticket: ticket.id });
  });

/** Work of one step that has not begun. */
function newTicket(userId: number, templateId: string): Ticket {
  return {
    id: crypto.randomUUID(),
    userId,
    templateId,
    dropRuns: false,
    status: "running",
    stepsTotal: 1,
    stepsDone: 0,
    lastId: "",
    errors: [],
    createdAt: Date.now(),
  };
}
