import { type Context, Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { readConfig } from "../../config";
import { parse, readTypedJson } from "../../http/body";
import { conflict, notFound } from "../../http/refusal";
import { columnsOf, flowDraft } from "../fields";
import type { Flow } from "../flow";
import { FLOW_BYTES, newFlow, ownFlow, visibleFlow } from "../routes";
import { flowDoors } from "../doors";
import { deleteFlow, replaceFlow, retryChanges } from "../lifecycle.store";
import { createFlow, readOwnFlow } from "../store";
import { newIds, withIds, wizardWithIds } from "./component-ids";
import { savable } from "../validation/refusals";
import { countFlowsFrom, flowsFrom, instancesOf } from "./store";
import { createTicket, readTicket, type Ticket } from "./tickets.store";
import { advance } from "./update.io";

/** Questions to the database that a request spends on an update: each question about the ticket goes on with it. */
const PROMPT = 300;

const cloneRequest = z.object({
  projection: z.string().default(""),
  isTemplateInstance: z.boolean().default(false),
  setOriginFlowId: z.boolean().default(false),
  setComponentIdMap: z.boolean().default(true),
  additional: flowDraft.default({}),
});
const updateRequest = z.object({ inProgressData: z.enum(["keep", "delete"]).default("keep") });

/** Templates, what is made from them, and drafts (reference app-events-api.md §7). */
export const templateRoutes = new Hono<UserEnv>()
  .post("/flows/:id/clone", withUser, async (c) => {
    const origin = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    const asked = parse(cloneRequest, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const dropped = new Set(
      asked.projection.split(",").flatMap((name) => (name.startsWith("-") ? [name.slice(1)] : [])),
    );
    const ids = newIds(origin.flow, () => crypto.randomUUID());
    const flow = withIds(origin.flow, ids);
    const cloneId = crypto.randomUUID();
    const mayShare = origin.userId === c.var.user.id && !dropped.has("sharedWith");
    const keep = <K extends keyof Flow>(name: K, value: Flow[K]): Partial<Flow> =>
      dropped.has(name) ? {} : Object.fromEntries([[name, value]]);
    await createFlow(c.env.DB, {
      ...newFlow(c.var.user, cloneId, {
        name: origin.name,
        flow,
        type: asked.isTemplateInstance ? "integration-instance" : origin.type,
      }),
      ...keep("description", origin.description),
      ...keep("customFields", origin.customFields),
      ...keep("thumbnail", origin.thumbnail),
      ...keep("wizard", wizardWithIds(origin.wizard, ids)),
      ...(mayShare ? { sharedWith: origin.sharedWith } : {}),
      ...(asked.setComponentIdMap ? { componentIdMap: ids } : {}),
      ...(asked.setOriginFlowId || asked.isTemplateInstance
        ? { originFlowId: origin.id, originFlow: flow }
        : {}),
      ...savable(columnsOf(asked.additional), readConfig(c.env).egress),
    });
    return c.json({ cloneId });
  })
  .post("/drafts/:id/publish", withUser, async (c) => {
    const draft = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    return c.json({ flowId: await publish(c, draft) });
  })
  .post("/integrations/:id/update-integration-instances", withUser, async (c) => {
    const template = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    const asked = parse(updateRequest, (await readTypedJson(c, FLOW_BYTES)).value ?? {});
    const ticket: Ticket = {
      id: crypto.randomUUID(),
      userId: c.var.user.id,
      templateId: template.id,
      dropRuns: asked.inProgressData === "delete",
      status: "running",
      stepsTotal: await countFlowsFrom(c.env.DB, instancesOf(template)),
      stepsDone: 0,
      lastId: "",
      errors: [],
      createdAt: Date.now(),
    };
    await createTicket(c.env.DB, ticket);
    await advance(flowDoors(c.env), ticket, PROMPT);
    return c.json({ ticket: ticket.id });
  })
  .get("/integrations/status/:ticket", withUser, async (c) => {
    const found = await readTicket(c.env.DB, c.var.user.id, c.req.param("ticket"));
    if (found === undefined) throw notFound(`No ticket '${c.req.param("ticket")}'`);
    const { status, stepsTotal, stepsDone, errors } = await advance(
      flowDoors(c.env),
      found,
      PROMPT,
    );
    return c.json({ status, stepsTotal, stepsDone, errors });
  })
  .delete("/integrations/:id", withUser, async (c) => {
    const flow = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    await deleteFlow(flowDoors(c.env), flow);
    const ticket = crypto.randomUUID();
    await createTicket(c.env.DB, {
      id: ticket,
      userId: c.var.user.id,
      templateId: flow.id,
      dropRuns: false,
      status: "completed",
      stepsTotal: 1,
      stepsDone: 1,
      lastId: flow.id,
      errors: [],
      createdAt: Date.now(),
    });
    return c.json({ ticket });
  });

/** A draft of an instance replaces it; a draft of an integration becomes, or renews, its template. */
async function publish(c: Context<UserEnv>, draft: Flow): Promise<string> {
  switch (draft.type) {
    case "integration-instance-draft":
      return publishInstance(c, draft);
    case "integration-draft":
      return publishTemplate(c, draft);
    default:
      throw conflict(`A flow of type '${draft.type}' is not a draft`);
  }
}

async function publishInstance(c: Context<UserEnv>, draft: Flow): Promise<string> {
  const id = draft.originFlowId ?? "";
  const ids = newIds(draft.flow, () => crypto.randomUUID(), inverse(draft.componentIdMap ?? {}));
  await retryChanges(async () => {
    const instance = await readOwnFlow(c.env.DB, c.var.user.id, id);
    if (instance === undefined) throw notFound("The instance of this draft does not exist");
    if (instance.stage === "running" && c.req.query("forceUpdate") !== "true")
      throw conflict("The instance is running: stop it first, or use forceUpdate=true");
    return replaceFlow(flowDoors(c.env), instance, {
      name: draft.name,
      flow: withIds(draft.flow, ids),
      wizard: wizardWithIds(draft.wizard, ids),
      customFields: draft.customFields,
    });
  });
  return id;
}

async function publishTemplate(c: Context<UserEnv>, draft: Flow): Promise<string> {
  const { user } = c.var;
  const origin = {
    organizationId: user.organizationId,
    originFlowId: draft.id,
    type: "integration-template",
  };
  const { name, description, customFields, thumbnail, sharedWith } = draft;
  const columnsWith = (known: Record<string, string>) => {
    const ids = newIds(draft.flow, () => crypto.randomUUID(), known);
    const flow = withIds(draft.flow, ids);
    const wizard = wizardWithIds(draft.wizard, ids);
    const words = { name, description, customFields, thumbnail, sharedWith };
    return { ...words, flow, wizard, componentIdMap: ids };
  };
  let flowId: string = crypto.randomUUID();
  await retryChanges(async () => {
    const [template] = await flowsFrom(c.env.DB, origin, "", 1);
    if (template !== undefined && template.userId === user.id) {
      flowId = template.id;
      const columns = columnsWith(template.componentIdMap ?? {});
      return replaceFlow(flowDoors(c.env), template, columns);
    }
    const columns = columnsWith({});
    await createFlow(c.env.DB, {
      ...newFlow(user, flowId, { ...columns, type: origin.type }),
      originFlowId: draft.id,
      componentIdMap: columns.componentIdMap,
    });
    return "done";
  });
  return flowId;
}

function inverse(ids: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(ids).map(([from, to]) => [to, from]));
}
