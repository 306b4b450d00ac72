import type { EgressPolicy } from "../../http/egress";
import { addressFaults } from "./address";
import { httpMethod, STEP_ERROR, STEP_IN, STEP_OUT, TRIGGER_OUT, triggerKind } from "../components";
import type { Component, Descriptor, Fault } from "../descriptor";
import { modifierFault } from "../modifiers/apply";
import { stringOf } from "../modifiers/argument";
import { parsePath } from "../variable-path";
import { placeholdersIn } from "../placeholder";
import { resourceTrigger } from "../triggers/match";
import { scheduleFault } from "../triggers/schedule";

/** One event may set off this many steps at most, counted over all ways through the flow. */
const MOST_STEPS = 1_000;

/**
 * What keeps a flow from starting (reference app-events-api.md §5, §6): each fault names component
 * and field.
 */
export function faultsOf(descriptor: Descriptor, egress: EgressPolicy): Fault[] {
  const faults = [...descriptor.values()].flatMap((component) => {
    const at = (field: string, message: string): Fault => ({
      componentId: component.id,
      field,
      message,
    });
    const kind = triggerKind(component.type);
    if (kind !== undefined) return triggerFaults(component, kind, at);
    if (httpMethod(component.type) !== undefined) return stepFaults(component, descriptor, at);
    return [at("type", `'${component.type}' is not a component that runs here`)];
  });
  faults.push(...addressFaults(descriptor, egress));
  return faults.length > 0 ? faults : shapeFaults(descriptor);
}

type At = (field: string, message: string) => Fault;

function triggerFaults(component: Component, kind: string, at: At): Fault[] {
  const { properties, inputs, transform } = component;
  const faults: Fault[] = [];
  if (inputs.length > 0) faults.push(at("source", "A trigger has no in port"));
  if (Object.keys(transform).length > 0)
    faults.push(at("config.transform", "Malformed transformation: a trigger has no in port"));
  const expectText = (name: string): void => {
    const value = properties[name];
    if (typeof value !== "string" || value === "" || value.length > 256)
      faults.push(at(`config.properties.${name}`, "Expected a text of 1 to 256 characters"));
  };
  const expectTexts = (name: string): void => {
    const value = properties[name];
    const fits = Array.isArray(value) && value.every((item) => typeof item === "string");
    if (value !== undefined && !fits)
      faults.push(at(`config.properties.${name}`, "Expected a list of texts"));
  };
  switch (kind) {
    case "app-event":
      expectText("event");
      break;
    case "instance":
      if (!/^[1-9]\d*$/.test(stringOf(properties["instanceId"])))
        faults.push(at("config.properties.instanceId", "Expected the id of an instance"));
      expectTexts("objectTypes");
      expectTexts("eventTypes");
      break;
    case "resource":
      for (const { path, message } of resourceTrigger.safeParse(properties).error?.issues ?? [])
        faults.push(at(`config.properties.${path.map(String).join(".")}`, message));
      break;
    case "schedule": {
      expectText("cron");
      const fault = scheduleFault(properties);
      if (fault !== undefined) faults.push(at("config.properties.cron", fault));
    }
  }
  return faults;
}

function stepFaults(component: Component, descriptor: Descriptor, at: At): Fault[] {
  const { inputs, transform } = component;
  const faults: Fault[] = [];
  if (inputs.length === 0) faults.push(at("source", "Expected a source for the in port 'in'"));
  for (const { inPort, from, outPort } of inputs) {
    const upstream = descriptor.get(from);
    if (inPort !== STEP_IN) faults.push(at(`source.${inPort}`, `There is no in port '${inPort}'`));
    else if (upstream === undefined)
      faults.push(at(`source.${inPort}.${from}`, `There is no component '${from}'`));
    else if (!outPorts(upstream).includes(outPort))
      faults.push(at(`source.${inPort}.${from}`, `'${from}' has no out port '${outPort}'`));
  }
  for (const [inPort, senders] of Object.entries(transform))
    for (const [from, byPort] of Object.entries(senders))
      for (const [outPort, { lambda, modifiers }] of Object.entries(byPort)) {
        const field = `config.transform.${inPort}.${from}.${outPort}`;
        const fits = inputs.some(
          (input) => input.inPort === inPort && input.from === from && input.outPort === outPort,
        );
        if (!fits) {
          faults.push(at(field, "Malformed transformation: it does not match the source"));
          continue;
        }
        faults.push(...lambdaFaults(lambda, modifiers, descriptor, `${field}.lambda`, at));
        for (const [name, byId] of Object.entries(modifiers))
          for (const [id, modifier] of Object.entries(byId)) {
            const fault =
              modifierFault(modifier) ?? variableFault(modifier.variable ?? "", descriptor);
            if (fault !== undefined) faults.push(at(`${field}.modifiers.${name}.${id}`, fault));
          }
        const bodyType = lambda["bodyType"];
        if (bodyType === "form-data" || bodyType === "binary")
          faults.push(at(`${field}.lambda.bodyType`, `'${bodyType}' is not supported yet`));
        const url = lambda["url"];
        if (url === undefined || (typeof url === "string" && url.trim() === ""))
          faults.push(at(`${field}.lambda.url`, "Expected a URL"));
      }
  return faults;
}

function outPorts(component: Component): string[] {
  if (triggerKind(component.type) !== undefined) return [TRIGGER_OUT];
  return component.errorHandling.onError === "errorPort" ? [STEP_OUT, STEP_ERROR] : [STEP_OUT];
}

function lambdaFaults(
  value: unknown,
  modifiers: Record<string, Record<string, unknown>>,
  descriptor: Descriptor,
  field: string,
  at: At,
): Fault[] {
  if (typeof value === "string") {
    const known = new Set(Object.values(modifiers).flatMap((byId) => Object.keys(byId)));
    return placeholdersIn(value)
      .filter((id) => !known.has(id))
      .flatMap((id) => {
        const fault = id.startsWith("$")
          ? variableFault(id, descriptor)
          : `There is no modifier '${id}'`;
        return fault === undefined ? [] : [at(field, fault)];
      });
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    lambdaFaults(member, modifiers, descriptor, `${field}.${key}`, at),
  );
}

/** A path that can never have a value; leaving out `data` is the commonest mistake. */
function variableFault(variable: string, descriptor: Descriptor): string | undefined {
  if (!variable.startsWith("$")) return undefined;
  const keys = parsePath(variable);
  if (keys === undefined) return `'${variable}' is not a path`;
  const [id = "", port, ...rest] = keys;
  const component = descriptor.get(id);
  if (component === undefined) return `'${variable}': there is no component '${id}'`;
  if (port !== undefined && !outPorts(component).includes(port))
    return `'${variable}': '${id}' has no out port '${port}'`;
  const isAppEvent = triggerKind(component.type) === "app-event";
  return isAppEvent && rest.length > 0 && rest[0] !== "data"
    ? `'${variable}': the event is under 'data': expected '$.${id}.${TRIGGER_OUT}.data.${rest.join(".")}'`
    : undefined;
}

/** Cycles, and flows in which one event would set off too many steps. */
function shapeFaults(descriptor: Descriptor): Fault[] {
  const below = new Map<string, string[]>();
  for (const { id, inputs } of descriptor.values())
    for (const { from } of inputs) below.set(from, [...(below.get(from) ?? []), id]);
  const counts = new Map<string, number | "open">();
  const cyclic: string[] = [];
  const count = (id: string): number => {
    const known = counts.get(id);
    if (known === "open") cyclic.push(id);
    if (known !== undefined) return known === "open" ? 0 : known;
    counts.set(id, "open");
    const total = (below.get(id) ?? []).reduce((sum, child) => sum + count(child), 1);
    counts.set(id, total);
    return total;
  };
  const crowded = [...descriptor.keys()].filter((id) => count(id) > MOST_STEPS + 1);
  return [
    ...[...new Set(cyclic)].map((componentId) => ({
      componentId,
      field: "source",
      message: "The sources go round in a circle",
    })),
    ...crowded.slice(0, 1).map((componentId) => ({
      componentId,
      field: "source",
      message: `One event would set off more than ${MOST_STEPS} steps`,
    })),
  ];
}
