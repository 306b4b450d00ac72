import { type Context, Hono } from "hono";
import { readEndUser } from "../../accounts/users/admin.store";
import { readFlowOf } from "../../flows/store";
import {
  foundMessage,
  messageView,
  retryMessage,
  watchMessage,
} from "../../flows/unprocessed/message.io";
import { deleteUnprocessed, ownerOfMessage, type Unprocessed } from "../../flows/unprocessed/store";
import { notFound } from "../../http/refusal";
import { leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { actingUser } from "./lookup.io";
import { MessagePage } from "./messages";
import { stepsOf } from "./steps";

const HERE = "/apps/unprocessed-messages/:id";

/** Messages of flows that failed for good. */
export const messagePages = new Hono<ConsoleEnv>()
  .get(HERE, async (c) => {
    const row = await messageOfPath(c);
    const flow = await readFlowOf(c.env.DB, c.var.asker.organizationId, row.flowId);
    const step = stepsOf(flow?.flow ?? {})?.steps.find(({ id }) => id === row.componentId);
    return c.render(
      <MessagePage
        row={row}
        flow={flow?.name ?? "a flow that is gone"}
        step={step?.name ?? "a step that is gone"}
        view={await messageView(c.env, row)}
        now={Date.now()}
      />,
      { title: "Unprocessed message", here: "apps" },
    );
  })
  .post(`${HERE}/retry`, async (c) => {
    const row = await messageOfPath(c);
    await actingUser(c, row.userId);
    watchMessage(c, row);
    await retryMessage(c.env, row);
    const text = "On its way again; if it fails once more, it comes back.";
    return leave(c, `/console/apps/flows/${row.flowId}`, { tone: "good", text });
  })
  .post(`${HERE}/remove`, async (c) => {
    const row = await messageOfPath(c);
    await actingUser(c, row.userId);
    watchMessage(c, row);
    await deleteUnprocessed(c.env.DB, row.userId, row.id);
    return leave(c, `/console/apps/flows/${row.flowId}`, { tone: "good", text: "Removed." });
  });

/** The message that a path names. @throws Refusal `not-found`, for another organization's as well. */
async function messageOfPath(c: Context<ConsoleEnv>): Promise<Unprocessed> {
  const id = c.req.param("id") ?? "";
  const unknown = () => notFound(`No unprocessed message '${id.slice(0, 100)}'`);
  const userId = await ownerOfMessage(c.env.DB, id);
  if (userId === undefined) throw unknown();
  const user = await readEndUser(c.env.DB, c.var.asker.organizationId, userId);
  if (user === undefined) throw unknown();
  return foundMessage(c.env.DB, userId, id);
}
