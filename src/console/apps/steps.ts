import { httpMethod, triggerKind, type TriggerKind } from "../../flows/components";
import { type Component, type Descriptor, readDescriptor } from "../../flows/descriptor";
import { stringOf } from "../../flows/modifiers/argument";
import { masked } from "../../flows/sealed-flow";
import { recordOf } from "../../values/record";

/** A component of a flow, as people see it. */
export type Step = {
  id: string;
  /** Its label, else its id; what it does when that is one that nobody would say. */
  name: string;
  /** `POST https://example.com/hook`, `event contact-created`. */
  does: string;
  trigger: TriggerKind | undefined;
  method: string | undefined;
  after: { id: string; port: string }[];
  onError: Component["errorHandling"]["onError"];
};

export type Drawn = { steps: Step[]; descriptor: Descriptor };

/** The components of a flow in the order of their work, its credentials masked; undefined when it can't be read. */
export function stepsOf(flow: Record<string, unknown>): Drawn | undefined {
  const shown = masked(flow);
  const read = readDescriptor(shown);
  if (!read.ok) return undefined;
  const { descriptor } = read;
  const depths = depthsOf(descriptor);
  const steps = [...descriptor.values()].map((component): Step => {
    const does = doingOf(component);
    return {
      id: component.id,
      name: nameOf(component.id, recordOf(shown[component.id])["label"], does),
      does,
      trigger: triggerKind(component.type),
      method: httpMethod(component.type),
      after: component.inputs.map(({ from, outPort }) => ({ id: from, port: outPort })),
      onError: component.errorHandling.onError,
    };
  });
  const depth = ({ id }: Step): number => depths.get(id) ?? 0;
  return { steps: steps.toSorted((left, right) => depth(left) - depth(right)), descriptor };
}

/** Copies get ids by chance, which say nothing. */
const BY_CHANCE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function nameOf(id: string, label: unknown, does: string): string {
  if (typeof label === "string" && label.trim() !== "") return label.trim();
  return BY_CHANCE.test(id) ? does : id;
}

const TRIGGERS: Record<TriggerKind, (properties: Record<string, unknown>) => string> = {
  "app-event": ({ event }) => `event ${stringOf(event)}`,
  webhook: () => "a call of its webhook",
  instance: ({ instanceId }) => `events of instance ${stringOf(instanceId)}`,
  resource: ({ group, kind }) => `changes of ${stringOf(group)} ${stringOf(kind)}`,
  schedule: ({ cron, timezone }) => `at ${stringOf(cron)} ${stringOf(timezone) || "UTC"}`,
};

function doingOf(component: Component): string {
  const { type, properties } = component;
  const kind = triggerKind(type);
  if (kind !== undefined) return TRIGGERS[kind](properties);
  const method = httpMethod(type);
  return method === undefined ? type : `${method} ${stringOf(mappingOf(component)["url"])}`;
}

/** The fields of a step's first source, which most steps have alone. */
export function mappingOf({ inputs, transform }: Component): Record<string, unknown> {
  const [first] = inputs;
  if (first === undefined) return {};
  return transform[first.inPort]?.[first.from]?.[first.outPort]?.lambda ?? {};
}

/** How many components come before each, on the longest way; one that goes round in a circle counts once. */
export function depthsOf(descriptor: Descriptor): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  const underWay = new Set<string>();
  const visit = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    const component = descriptor.get(id);
    if (component === undefined || underWay.has(id)) return -1;
    underWay.add(id);
    const depth = component.inputs.reduce((most, { from }) => Math.max(most, visit(from) + 1), 0);
    depths.set(id, depth);
    return depth;
  };
  for (const id of descriptor.keys()) visit(id);
  return depths;
}
