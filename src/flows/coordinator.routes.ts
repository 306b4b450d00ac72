import { Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../accounts/users/routes";
import type { User } from "../accounts/users/store";
import { readConfig } from "../config";
import { parse, readTypedJson } from "../http/body";
import { forbidden } from "../http/refusal";
import type { Flow, Permission } from "./flow";
import { FLOW_BYTES, visibleFlow } from "./routes";
import { watchFlow } from "./watch.io";
import { flowDoors } from "./doors";
import { commandFlow } from "./lifecycle.store";
import { readFlow } from "./store";
import { allFaults } from "./validation/refusals";

const command = z.object({
  command: z.enum(["start", "stop"]),
  background: z.unknown().optional(),
});

/** Switching flows on and off (reference app-events-api.md §6). */
export const coordinatorRoutes = new Hono<UserEnv>()
  .post("/flows/:id/coordinator", withUser, async (c) => {
    const request = parse(command, (await readTypedJson(c, FLOW_BYTES)).value);
    const id = c.req.param("id");
    const { command: wanted } = request;
    await commandFlow(flowDoors(c.env), wanted, async () =>
      watchFlow(c, await permitted(c.env.DB, c.var.user, id, wanted)),
    );
    const background = request.background ?? c.req.query("background");
    const inBackground = background === true || background === "true";
    return c.json({ flowId: id, ...(inBackground ? { ticket: crypto.randomUUID() } : {}) });
  })
  .get("/flows/:id/coordinator/status", withUser, async (c) => {
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    // A stop is answered only when it is in effect, so none is ever under way.
    return c.json({ status: "completed", stepsTotal: Object.keys(flow.flow).length });
  })
  .get("/flows/:id/validate", withUser, async (c) => {
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    return c.json({ errors: allFaults(flow, readConfig(c.env).egress) });
  });

/** @throws Refusal `not-found` when the flow is invisible, `forbidden` when it is shared for less. */
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
