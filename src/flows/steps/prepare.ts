import type { DeliveryItem } from "../../delivery/attempt";
import type { Keyring } from "../../db/sealed";
import { readKeys } from "../../values/path";
import { httpMethod, STEP_IN } from "../components";
import type { Component } from "../descriptor";
import type { RunningFlow } from "../flow";
import { derivedUuid } from "../ids";
import type { FlowValues } from "../modifiers/flow-values";
import { type Scope, stepInput } from "./input";
import { masked, opened } from "../sealed-flow";
import { scopeOf, type StepMessage } from "./message";
import { requestOf, type StepRequest, type StepVerdict } from "./request";

/** A step whose request was made, or could not be made from its input. */
export type PreparedStep = {
  component: Component;
  scope: Scope;
  /** As somebody may see it: credentials are masked. */
  input: Record<string, unknown>;
  made: Made;
};

/** `unrenderable`: not the input is at fault, but that nothing can be made of what the run has produced. */
type Made =
  | { ok: true; request: StepRequest }
  | { ok: false; reason: "transform-failed" | "unrenderable"; message: string };

/**
 * Makes the request of a step from what its run has produced so far. Every try makes the same one: the clock and
 * the UUIDs that a mapping may use are those of the notification.
 * @returns undefined when the flow has no such step (any more).
 */
export async function prepareStep(
  notification: Pick<DeliveryItem, "id" | "createdAt">,
  message: StepMessage,
  { flow, descriptor }: RunningFlow,
  { ring, publicUrl }: { ring: Keyring; publicUrl: string },
): Promise<PreparedStep | undefined> {
  const { componentId, sender } = message.step;
  const component = descriptor.get(componentId);
  const method = httpMethod(component?.type ?? "");
  if (component === undefined || method === undefined) return undefined;
  const values = flowValuesOf(notification, flow, componentId, publicUrl);
  try {
    const scope = scopeOf(message, descriptor);
    const sealed = component.transform[STEP_IN]?.[sender.componentId]?.[sender.port];
    const transformation = opened(ring, flow.organizationId, sealed);
    const sent = readKeys(scope, [sender.componentId, sender.port]);
    const read = await stepInput(transformation, sent, scope, values);
    return read.ok
      ? { component, scope, input: masked(read.input), made: madeOf(requestOf(method, read.input)) }
      : { component, scope, input: {}, made: madeOf(read) };
  } catch (error) {
    const made: Made = { ok: false, reason: "unrenderable", message: String(error) };
    return { component, scope: {}, input: {}, made };
  }
}

const madeOf = (verdict: StepVerdict | { ok: false; message: string }): Made =>
  verdict.ok ? verdict : { ...verdict, reason: "transform-failed" };

function flowValuesOf(
  { id, createdAt }: Pick<DeliveryItem, "id" | "createdAt">,
  flow: RunningFlow["flow"],
  componentId: string,
  publicUrl: string,
): FlowValues {
  let uuids = 0;
  return {
    now: createdAt,
    uuid: () => derivedUuid(id, String((uuids += 1))),
    userId: String(flow.userId),
    flowId: flow.id,
    flowName: flow.name,
    webhookUrl: `${publicUrl}/flows/${flow.id}/components/${encodeURIComponent(componentId)}`,
    customFields: flow.customFields,
  };
}
