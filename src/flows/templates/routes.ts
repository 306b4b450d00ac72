import { type Context, Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { parse, readTypedJson } from "../../http/body";
import { conflict, notFound, Refusal } from "../../http/refusal";
import { columnsOf, flowDraft } from "../draft";
import type { Flow } from "../flow";
import { recordOf } from "../message";
import { FLOW_BYTES, newFlow, ownFlow, replaceFlow, visibleFlow } from "../routes";
import { createFlow, deleteFlow, readOwnFlow } from "../store";
import { newIds, withIds, wizardWithIds } from "./clone";
import { mergeThreeWay } from "./merge";
import { countFlowsFrom, flowsFrom, readTicket, saveTicket, type Ticket } from "./store";

/** Instances that one request brings up to date: the next question about the ticket goes on. */
const PAGE = 40;
const MOST_ERRORS = 100;

const cloneRequest = z.object({
  projection: z.string().default(""),
  isTemplateInstance: z.boolean().default(false),
  setOriginFlowId: z.boolean().default(false),
  setComponentIdMap: z.boolean().default(true),
  additional: flowDraft.default({}),
});
const updateRequest = z.object({ inProgressData: z.enum(["keep", "delete"]).default("keep") });

/** Templates, what is made from them, and drafts (reference `app-events-api.md` §7). */
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
      ...columnsOf(asked.additional),
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
    await saveTicket(c.env.DB, ticket);
    await advance(c.env, ticket);
    return c.json({ ticket: ticket.id });
  })
  .get("/integrations/status/:ticket", withUser, async (c) => {
    const found = await readTicket(c.env.DB, c.var.user.id, c.req.param("ticket"));
    if (found === undefined) throw notFound(`No ticket '${c.req.param("ticket")}'`);
    const { status, stepsTotal, stepsDone, errors } = await advance(c.env, found);
    return c.json({ status, stepsTotal, stepsDone, errors });
  })
  .delete("/integrations/:id", withUser, async (c) => {
    const flow = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    await deleteFlow(c.env.DB, flow.id);
    const ticket = crypto.randomUUID();
    await saveTicket(c.env.DB, {
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
  const { user } = c.var;
  if (draft.type === "integration-instance-draft") {
    const instance =
      draft.originFlowId === null
        ? undefined
        : await readOwnFlow(c.env.DB, user.id, draft.originFlowId);
    if (instance === undefined) throw notFound("The instance of this draft does not exist");
    if (instance.stage === "running" && c.req.query("forceUpdate") !== "true")
      throw conflict("The instance is running: stop it first, or use forceUpdate=true");
    const back = inverse(draft.componentIdMap ?? {});
    const ids = newIds(draft.flow, () => crypto.randomUUID(), back);
    await replaceFlow(c.env, instance, {
      name: draft.name,
      flow: withIds(draft.flow, ids),
      wizard: wizardWithIds(draft.wizard, ids),
      customFields: draft.customFields,
    });
    return instance.id;
  }
  if (draft.type !== "integration-draft")
    throw conflict(`A flow of type '${draft.type}' is not a draft`);
  const { organizationId } = user;
  const made = { organizationId, originFlowId: draft.id, type: "integration-template" };
  const [template] = await flowsFrom(c.env.DB, made, "", 1);
  const { name, description, customFields, thumbnail, sharedWith } = draft;
  if (template !== undefined && template.userId === user.id) {
    const ids = newIds(draft.flow, () => crypto.randomUUID(), template.componentIdMap ?? {});
    await replaceFlow(c.env, template, {
      name,
      description,
      customFields,
      thumbnail,
      sharedWith,
      flow: withIds(draft.flow, ids),
      wizard: wizardWithIds(draft.wizard, ids),
      componentIdMap: ids,
    });
    return template.id;
  }
  const ids = newIds(draft.flow, () => crypto.randomUUID());
  const flowId = crypto.randomUUID();
  await createFlow(c.env.DB, {
    ...newFlow(user, flowId, {
      name,
      description,
      customFields,
      thumbnail,
      sharedWith,
      flow: withIds(draft.flow, ids),
      wizard: wizardWithIds(draft.wizard, ids),
      type: "integration-template",
    }),
    originFlowId: draft.id,
    componentIdMap: ids,
  });
  return flowId;
}

function instancesOf({ organizationId, id }: Pick<Flow, "organizationId" | "id">) {
  return { organizationId, originFlowId: id, type: "integration-instance" };
}

/** Brings the next page of instances up to their template. Done twice, it changes nothing more. */
async function advance(env: Env, ticket: Ticket): Promise<Ticket> {
  if (ticket.status !== "running") return ticket;
  const template = await readOwnFlow(env.DB, ticket.userId, ticket.templateId);
  const page =
    template === undefined
      ? []
      : await flowsFrom(env.DB, instancesOf(template), ticket.lastId, PAGE);
  const errors = [...ticket.errors];
  for (const instance of page) {
    const message =
      template === undefined ? undefined : await update(env, template, instance, ticket.dropRuns);
    if (message !== undefined) errors.push({ flowId: instance.id, message });
  }
  const isLast = page.length < PAGE;
  const ended = errors.length === 0 ? "completed" : "failed";
  const advanced: Ticket = {
    ...ticket,
    status: isLast ? ended : "running",
    stepsDone: ticket.stepsDone + page.length,
    lastId: page.at(-1)?.id ?? ticket.lastId,
    errors: errors.slice(0, MOST_ERRORS),
  };
  await saveTicket(env.DB, advanced);
  return advanced;
}

/** Brings an instance up to its template, keeping what its user changed. @returns why it could not be. */
async function update(
  env: Env,
  template: Flow,
  instance: Flow,
  dropRuns: boolean,
): Promise<string | undefined> {
  const ids = newIds(template.flow, () => crypto.randomUUID(), instance.componentIdMap ?? {});
  const theirs = withIds(template.flow, ids);
  const flow = recordOf(mergeThreeWay(instance.originFlow ?? {}, instance.flow, theirs));
  const columns = {
    flow,
    originFlow: theirs,
    wizard: wizardWithIds(template.wizard, ids),
    componentIdMap: ids,
  };
  try {
    await replaceFlow(env, instance, columns, { dropRuns });
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    console.error(JSON.stringify({ at: "templates", flowId: instance.id, error: String(error) }));
    return "Something went wrong on our side";
  }
}

function inverse(ids: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(ids).map(([from, to]) => [to, from]));
}
