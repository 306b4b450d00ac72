import { STEP_ERROR, STEP_OUT, TRIGGER_OUT, triggerKind } from "../components";
import type { Component, Descriptor, Fault, FaultAt, Transformation } from "../descriptor";
import { placeholdersIn } from "../placeholder";
import { parsePath } from "../variable-path";

/** The out ports of a component: `error` only when its flow asked for it. */
export function outPorts({ type, errorHandling }: Component): string[] {
  if (triggerKind(type) !== undefined) return [TRIGGER_OUT];
  return errorHandling.onError === "errorPort" ? [STEP_OUT, STEP_ERROR] : [STEP_OUT];
}

/** What is wrong with the placeholders of mapped fields: each must be a path, or the id of a modifier. */
export function lambdaFaults(
  value: unknown,
  modifiers: Transformation["modifiers"],
  descriptor: Descriptor,
  field: string,
  at: FaultAt,
): Fault[] {
  if (typeof value === "string") {
    const ids = new Set(Object.values(modifiers).flatMap((byId) => Object.keys(byId)));
    return placeholdersIn(value)
      .filter((name) => !ids.has(name))
      .flatMap((name) => {
        const fault = name.startsWith("$")
          ? variableFault(name, descriptor)
          : `There is no modifier '${name}'`;
        return fault === undefined ? [] : [at(field, fault)];
      });
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    lambdaFaults(member, modifiers, descriptor, `${field}.${key}`, at),
  );
}

/** Why a path can never have a value. The commonest mistake is to leave out `data` after an app event's port. */
export function variableFault(variable: string, descriptor: Descriptor): string | undefined {
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
