import { STEP_OUT, TRIGGER_OUT, triggerKind } from "../flows/components";
import type { Component, Descriptor } from "../flows/descriptor";
import { exampleSchema, flatVariables, portOptions, type Variable } from "./example-schema";

/**
 * What the mapping of a component may use: for each of its sources (in port → upstream component → out port) the
 * variables of that component and of all components above it.
 */
export function linksOf(component: Component, descriptor: Descriptor): Record<string, unknown> {
  const links: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const { inPort, from, outPort } of component.inputs) {
    const senders = (links[inPort] ??= {});
    const ports = (senders[from] ??= {});
    const above = ancestors(from, descriptor);
    const offers = above.map((one) => offerOf(one, one.id === from ? outPort : undefined));
    ports[outPort] = {
      variables: {
        dynamic: offers.flatMap(({ dynamic }) => dynamic),
        flat: offers[0]?.flat ?? [],
      },
    };
  }
  return links;
}

/** A variable as it is written into a field of a step: `{{{$.T.out.data.email}}}`. */
export type Usable = { componentId: string; label: string; value: string };

/** What the fields of a component may use: of all components above it, the nearest first, with what examples have. */
export function usableBy(component: Component, descriptor: Descriptor): Usable[] {
  const found = component.inputs.flatMap(({ from, outPort }) =>
    ancestors(from, descriptor).flatMap((one): Usable[] => {
      const port = one.id === from ? outPort : undefined;
      const { dynamic, flat } = offerOf(one, port);
      const members = flat.slice(1).map(({ path }) => ({
        componentId: one.id,
        label: path,
        value: `{{{$.${one.id}.${port ?? TRIGGER_OUT}.${path}}}}`,
      }));
      return [...dynamic, ...members].map(({ componentId, label, value }) => ({
        componentId,
        label,
        value,
      }));
    }),
  );
  return [...new Map(found.map((one) => [one.value, one])).values()];
}

/** A component and all that come before it, nearest first. */
function ancestors(id: string, descriptor: Descriptor): Component[] {
  const found = new Map<string, Component>();
  const visit = (current: string): void => {
    const component = descriptor.get(current);
    if (component === undefined || found.has(current)) return;
    found.set(current, component);
    for (const { from } of component.inputs) visit(from);
  };
  visit(id);
  return [...found.values()];
}

type Offer = { dynamic: Dynamic[]; flat: Variable[] };
type Dynamic = {
  componentId: string;
  label: string;
  port: string;
  value: string;
  schema?: unknown;
};

/** The variables of one component; of the out port that is listened to, or of its usual one. */
function offerOf({ id, type, properties }: Component, outPort: string | undefined): Offer {
  const kind = triggerKind(type);
  const port = outPort ?? (kind === undefined ? STEP_OUT : TRIGGER_OUT);
  if (kind === "app-event") {
    const example = properties["eventDataExample"];
    return {
      dynamic: portOptions(example).map(({ label, value, schema }) => ({
        componentId: id,
        label,
        port,
        value: `{{{$.${id}.${port}.${value}}}}`,
        ...(schema === undefined ? {} : { schema }),
      })),
      flat: flatVariables(exampleSchema(example)),
    };
  }
  const members = kind === undefined ? RESPONSE : kind === "instance" ? RECORD : CONTENT;
  return {
    dynamic: members.map(([label, value]) => ({
      componentId: id,
      label,
      port,
      value: `{{{$.${id}.${port}.${value}}}}`,
    })),
    flat: [],
  };
}

const RESPONSE = [
  ["Status Code", "statusCode"],
  ["Headers", "headers"],
  ["Body", "body"],
  ["Request", "request"],
] as const;
const CONTENT = [
  ["Data", "data"],
  ["Query", "query"],
  ["Headers", "headers"],
  ["Method", "method"],
] as const;
const RECORD = [
  ["Object Type", "objectType"],
  ["Object Id", "objectId"],
  ["Event Type", "eventType"],
  ["Date", "date"],
  ["Data", "data"],
] as const;
