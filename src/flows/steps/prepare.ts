import type { DeliveryItem } from "../../delivery/attempt";
import { readKeys } from "../../values/path";
import { httpMethod, STEP_IN } from "../components";
import type { Component } from "../descriptor";
import type { RunningFlow } from "../flow";
import { derivedUuid } from "../ids";
import type { FlowValues } from "../modifiers/flow-values";
import { type Scope, stepInput } from "./input";
import { scopeOf, type StepMessage } from "./message";
import { requestOf, type StepRequest } from "./request";

/** A step whose request was made, or could not be made from its input. */
export type PreparedStep = {
  component: Component;
  scope: Scope;
  input: Record<string, unknown>;
  made: { ok: true; request: StepRequest } | { ok: false; message: string };
};

/**
 * Makes the request of a step from what its run has produced so far. Every try makes the same one: the clock and
 * the UUIDs that a mapping may use are those of the notification.
 * @returns undefined when the flow has no such step (any more).
 */
export async function prepareStep(
  notification: Pick<DeliveryItem, "id" | "createdAt">,
  message: StepMessage,
  { flow, descriptor }: RunningFlow,
  publicUrl: string,
): Promise<PreparedStep | undefined> {
  const { componentId, sender } = message.step;
  const component = descriptor.get(componentId);
  const method = httpMethod(component?.type ?? "");
  if (component === undefined || method === undefined) return undefined;
  const scope = scopeOf(message, descriptor);
  const made = await stepInput(
    component.transform[STEP_IN]?.[sender.componentId]?.[sender.port],
    readKeys(scope, [sender.componentId, sender.port]),
    scope,
    flowValuesOf(notification, flow, componentId, publicUrl),
  );
  return made.ok
    ? { component, scope, input: made.input, made: requestOf(method, made.input) }
    : { component, scope, input: {}, made };
}

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
