import { type TriggerKind, triggerKind } from "../components";
import type { Component, Descriptor, Fault, FaultAt } from "../descriptor";
import { stringOf } from "../modifiers/argument";
import { resourceTrigger } from "../triggers/match";
import { scheduleFault } from "../triggers/schedule";
import { signatureFaults } from "../triggers/signature";

/** What is wrong with a trigger: it takes no input, and each kind needs properties of its own. */
export function triggerFaults(component: Component, kind: TriggerKind, at: FaultAt): Fault[] {
  const { properties, inputs, transform } = component;
  const faults: Fault[] = [];
  if (inputs.length > 0) faults.push(at("source", "A trigger has no in port"));
  if (Object.keys(transform).length > 0)
    faults.push(at("config.transform", "Malformed transformation: a trigger has no in port"));
  for (const [name, message] of propertyFaults(kind, properties))
    faults.push(at(`config.properties.${name}`, message));
  return faults;
}

type PropertyFault = [name: string, message: string];

function propertyFaults(kind: TriggerKind, properties: Record<string, unknown>): PropertyFault[] {
  switch (kind) {
    case "app-event":
      return textFaults("event", properties);
    case "instance":
      return [
        ...instanceIdFaults(properties),
        ...listFaults("objectTypes", properties),
        ...listFaults("eventTypes", properties),
      ];
    case "resource":
      return (resourceTrigger.safeParse(properties).error?.issues ?? []).map(
        ({ path, message }) => [path.map(String).join("."), message],
      );
    case "schedule": {
      const fault = scheduleFault(properties);
      const text = textFaults("cron", properties);
      return fault === undefined ? text : [...text, ["cron", fault]];
    }
    case "webhook":
      return signaturePropertyFaults(properties, false);
  }
}

/** Signatures that no webhook could check: they are refused as they come, since their secrets can't be read later. */
export const signatureFaultsOf = (descriptor: Descriptor): Fault[] =>
  [...descriptor.values()]
    .filter(({ type }) => triggerKind(type) === "webhook")
    .flatMap(({ id, properties }) =>
      signaturePropertyFaults(properties, true).map(([name, message]) => ({
        componentId: id,
        field: `config.properties.${name}`,
        message,
      })),
    );

const signaturePropertyFaults = (
  { signature }: Record<string, unknown>,
  mayMask: boolean,
): PropertyFault[] =>
  signatureFaults(signature, mayMask).map(([name, message]) => [
    name === "" ? "signature" : `signature.${name}`,
    message,
  ]);

function textFaults(name: string, properties: Record<string, unknown>): PropertyFault[] {
  const value = properties[name];
  const fits = typeof value === "string" && value !== "" && value.length <= 256;
  return fits ? [] : [[name, "Expected a text of 1 to 256 characters"]];
}

function listFaults(name: string, properties: Record<string, unknown>): PropertyFault[] {
  const value = properties[name];
  const fits = Array.isArray(value) && value.every((item) => typeof item === "string");
  return value === undefined || fits ? [] : [[name, "Expected a list of texts"]];
}

function instanceIdFaults({ instanceId }: Record<string, unknown>): PropertyFault[] {
  return /^[1-9]\d*$/.test(stringOf(instanceId))
    ? []
    : [["instanceId", "Expected the id of an instance"]];
}
