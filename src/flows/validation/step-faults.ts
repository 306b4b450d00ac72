import { mapSecrets } from "../../values/secret-json";
import { MASK } from "../../values/secret-name";
import { STEP_IN } from "../components";
import type { Component, Descriptor, Fault, FaultAt, Transformation } from "../descriptor";
import { modifierFault } from "../modifiers/apply";
import { lambdaFaults, outPorts, variableFault } from "./variables";

/** What is wrong with a step: where its input comes from, and how the input is mapped. */
export function stepFaults(component: Component, descriptor: Descriptor, at: FaultAt): Fault[] {
  return [
    ...sourceFaults(component, descriptor, at),
    ...transformFaults(component, descriptor, at),
  ];
}

function sourceFaults({ inputs }: Component, descriptor: Descriptor, at: FaultAt): Fault[] {
  if (inputs.length === 0) return [at("source", "Expected a source for the in port 'in'")];
  return inputs.flatMap(({ inPort, from, outPort }) => {
    const upstream = descriptor.get(from);
    if (inPort !== STEP_IN) return [at(`source.${inPort}`, `There is no in port '${inPort}'`)];
    const field = `source.${inPort}.${from}`;
    if (upstream === undefined) return [at(field, `There is no component '${from}'`)];
    return outPorts(upstream).includes(outPort)
      ? []
      : [at(field, `'${from}' has no out port '${outPort}'`)];
  });
}

/** Each transformation must belong to a source, by in port, sender and the sender's out port. */
function transformFaults(
  { inputs, transform }: Component,
  descriptor: Descriptor,
  at: FaultAt,
): Fault[] {
  const faults: Fault[] = [];
  for (const [inPort, senders] of Object.entries(transform))
    for (const [from, byPort] of Object.entries(senders))
      for (const [outPort, transformation] of Object.entries(byPort)) {
        const field = `config.transform.${inPort}.${from}.${outPort}`;
        const hasSource = inputs.some(
          (input) => input.inPort === inPort && input.from === from && input.outPort === outPort,
        );
        if (hasSource) faults.push(...mappingFaults(transformation, descriptor, field, at));
        else faults.push(at(field, "Malformed transformation: it does not match the source"));
      }
  return faults;
}

function mappingFaults(
  { lambda, modifiers }: Transformation,
  descriptor: Descriptor,
  field: string,
  at: FaultAt,
): Fault[] {
  const faults = lambdaFaults(lambda, modifiers, descriptor, `${field}.lambda`, at);
  for (const [name, byId] of Object.entries(modifiers))
    for (const [id, modifier] of Object.entries(byId)) {
      const fault = modifierFault(modifier) ?? variableFault(modifier.variable ?? "", descriptor);
      if (fault !== undefined) faults.push(at(`${field}.modifiers.${name}.${id}`, fault));
    }
  const { bodyType, url } = lambda;
  for (const name of maskedFields(lambda))
    faults.push(at(`${field}.lambda.${name}`, `'${MASK}' stands for a value that isn't stored`));
  if (bodyType === "form-data" || bodyType === "binary")
    faults.push(at(`${field}.lambda.bodyType`, `'${bodyType}' is not supported yet`));
  if (url === undefined || (typeof url === "string" && url.trim() === ""))
    faults.push(at(`${field}.lambda.url`, "Expected a URL"));
  return faults;
}

/** Fields with a mask for which nothing was stored: the flow was read elsewhere, or renamed. */
function maskedFields(lambda: Transformation["lambda"]): string[] {
  return Object.entries(lambda).flatMap(([name, value]) => {
    let isMasked = false;
    mapSecrets({ [name]: value }, (text, spans) => {
      isMasked ||= spans.some(({ from, to }) => text.slice(from, to) === MASK);
      return text;
    });
    return isMasked ? name : [];
  });
}
