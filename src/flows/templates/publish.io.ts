import type { User } from "../../accounts/users/store";
import { conflict, notFound } from "../../http/refusal";
import type { FlowDoors } from "../doors";
import type { Flow } from "../flow";
import { replaceFlow, retryChanges } from "../lifecycle.store";
import { createFlow, newFlow, readOwnFlow } from "../store";
import { newIds, withIds, wizardWithIds } from "./component-ids";
import { flowsFrom } from "./store";

/**
 * Publishes a draft. The draft of an instance replaces the instance; the draft of an integration becomes its
 * template, or renews the template it became before. @returns the id of the flow that was published to.
 * @throws Refusal when the flow is no draft, or an instance is running and `isForced` is not set.
 */
export async function publish(
  doors: FlowDoors,
  user: User,
  draft: Flow,
  isForced: boolean,
): Promise<string> {
  switch (draft.type) {
    case "integration-instance-draft":
      return publishInstance(doors, user, draft, isForced);
    case "integration-draft":
      return publishTemplate(doors, user, draft);
    default:
      throw conflict(`A flow of type '${draft.type}' is not a draft`);
  }
}

/** The instance keeps its component ids: the draft's map says which of its own they became. */
async function publishInstance(
  doors: FlowDoors,
  user: User,
  draft: Flow,
  isForced: boolean,
): Promise<string> {
  const id = draft.originFlowId ?? "";
  const ids = newIds(draft.flow, () => crypto.randomUUID(), inverse(draft.componentIdMap ?? {}));
  await retryChanges(async () => {
    const instance = await readOwnFlow(doors.db, user.id, id);
    if (instance === undefined) throw notFound("The instance of this draft does not exist");
    if (instance.stage === "running" && !isForced)
      throw conflict("The instance is running: stop it first, or use forceUpdate=true");
    return replaceFlow(doors, instance, {
      name: draft.name,
      flow: withIds(draft.flow, ids),
      wizard: wizardWithIds(draft.wizard, ids),
      customFields: draft.customFields,
    });
  });
  return id;
}

/** A template that is renewed keeps the ids of the components it had, so that its instances can follow. */
async function publishTemplate(doors: FlowDoors, user: User, draft: Flow): Promise<string> {
  const origin = {
    organizationId: user.organizationId,
    originFlowId: draft.id,
    type: "integration-template",
  };
  let flowId: string = crypto.randomUUID();
  await retryChanges(async () => {
    const [template] = await flowsFrom(doors.db, origin, "", 1);
    if (template !== undefined && template.userId === user.id) {
      flowId = template.id;
      return replaceFlow(doors, template, templateFields(draft, template.componentIdMap ?? {}));
    }
    const fields = templateFields(draft, {});
    await createFlow(doors, {
      ...newFlow(user, flowId, { ...fields, type: origin.type }),
      originFlowId: draft.id,
      componentIdMap: fields.componentIdMap,
    });
    return "done";
  });
  return flowId;
}

/** @param idMap component of the draft → component of the template, for those that were published before. */
function templateFields(draft: Flow, idMap: Readonly<Record<string, string>>) {
  const ids = newIds(draft.flow, () => crypto.randomUUID(), idMap);
  const { name, description, customFields, thumbnail, sharedWith } = draft;
  return {
    name,
    description,
    customFields,
    thumbnail,
    sharedWith,
    flow: withIds(draft.flow, ids),
    wizard: wizardWithIds(draft.wizard, ids),
    componentIdMap: ids,
  };
}

function inverse(ids: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(ids).map(([from, to]) => [to, from]));
}
