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
import { flowsFrom, readTicket, saveTicket } from "./store";

/** Instances that one update reaches. */
const MOST_INSTANCES = 5_000;

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
    const instances = await flowsFrom(
      c.env.DB,
      template.organizationId,
      template.id,
      "integration-instance",
      MOST_INSTANCES,
    );
    const ticket = crypto.randomUUID();
    const state = {
      id: ticket,
      userId: c.var.user.id,
      stepsTotal: instances.length,
      createdAt: Date.now(),
    };
    await saveTicket(c.env.DB, { ...state, status: "running", stepsDone: 0, errors: [] });
    const work = updateInstances(c.env, template, instances, asked.inProgressData === "delete");
    c.executionCtx.waitUntil(
      work.then((errors) =>
        saveTicket(c.env.DB, {
          ...state,
          status: errors.length === 0 ? "completed" : "failed",
          stepsDone: instances.length - errors.length,
          errors: errors.slice(0, 100),
        }),
      ),
    );
    return c.json({ ticket });
  })
  .get("/integrations/status/:ticket", withUser, async (c) => {
    const ticket = await readTicket(c.env.DB, c.var.user.id, c.req.param("ticket"));
    if (ticket === undefined) throw notFound(`No ticket '${c.req.param("ticket")}'`);
    const { status, stepsTotal, stepsDone, errors } = ticket;
    return c.json({ status, stepsTotal, stepsDone, errors });
  })
  .delete("/integrations/:id", withUser, async (c) => {
    const flow = await ownFlow(c.env.DB, c.var.user, c.req.param("id"));
    await deleteFlow(c.env.DB, flow.id);
    const ticket = crypto.randomUUID();
    await saveTicket(c.env.DB, {
      id: ticket,
      userId: c.var.user.id,
      status: "completed",
      stepsTotal: 1,
      stepsDone: 1,
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
  const [template] = await flowsFrom(
    c.env.DB,
    user.organizationId,
    draft.id,
    "integration-template",
    1,
  );
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

/** Brings every instance up to its template, keeping what its user changed. @returns those that could not be. */
async function updateInstances(
  env: Env,
  template: Flow,
  instances: readonly Flow[],
  dropRuns: boolean,
): Promise<{ flowId: string; message: string }[]> {
  const errors: { flowId: string; message: string }[] = [];
  for (const instance of instances) {
    const ids = newIds(template.flow, () => crypto.randomUUID(), instance.componentIdMap ?? {});
    const theirs = withIds(template.flow, ids);
    const base = instance.originFlow ?? {};
    const flow = recordOf(mergeThreeWay(base, instance.flow, theirs));
    const own = instance.componentIdMap === null ? {} : { componentIdMap: ids };
    try {
      const columns = {
        flow,
        originFlow: theirs,
        wizard: wizardWithIds(template.wizard, ids),
        ...own,
      };
      await replaceFlow(env, instance, columns, { dropRuns });
    } catch (error) {
      const message = error instanceof Refusal ? error.message : "Something went wrong on our side";
      if (!(error instanceof Refusal))
        console.error(JSON.stringify({ at: "templates", error: String(error) }));
      errors.push({ flowId: instance.id, message });
    }
  }
  return errors;
}

function inverse(ids: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(ids).map(([from, to]) => [to, from]));
}
