import { Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { parse, readTypedJson } from "../../http/body";
import { notFound } from "../../http/refusal";
import { flowDoors } from "../doors";
import { deleteFlow } from "../lifecycle.store";
import { FLOW_BYTES, ownFlow, visibleFlow } from "../routes";
import { watchFlow } from "../watch.io";
import { cloneRequest } from "./clone";
import { cloneFlow } from "./clone.io";
import { publish } from "./publish.io";
import { createTicket, readTicket, type Ticket } from "./tickets.store";
import { beginUpdate, continueUpdate, newTicket } from "./update.io";

const updateRequest = z.object({ inProgressData: z.enum(["keep", "delete"]).default("keep") });

/** Templates, what is made from them, and drafts (reference app-events-api.md §7). */
export const templateRoutes = new Hono<UserEnv>()
  .post("/flows/:id/clone", withUser, async (c) => {
    const origin = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    const request = parse(cloneRequest, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const cloneId = await cloneFlow(flowDoors(c.env), c.var.user, origin, request);
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
    const dropRuns = wanted.inProgressData === "delete";
    const ticket = await beginUpdate(flowDoors(c.env), template, dropRuns);
    return c.json({ ticket: ticket.id });
  })
  .get("/integrations/status/:ticket", withUser, async (c) => {
    const found = await readTicket(c.env.DB, c.var.user.id, c.req.param("ticket"));
    if (found === undefined) throw notFound(`No ticket '${c.req.param("ticket")}'`);
    const { status, stepsTotal, stepsDone, errors } = await continueUpdate(flowDoors(c.env), found);
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
