import type { EgressPolicy } from "../../http/egress";
import { httpMethod, triggerKind } from "../components";
import type { Descriptor, Fault, FaultAt } from "../descriptor";
import { addressFaults } from "./address";
import { shapeFaults } from "./shape";
import { stepFaults } from "./step-faults";
import { triggerFaults } from "./trigger";

/**
 * What keeps a flow from starting (reference app-events-api.md §5, §6): each fault names component and field. The
 * shape of the whole is looked at only when every component is right by itself.
 */
export function faultsOf(descriptor: Descriptor, egress: EgressPolicy): Fault[] {
  const faults = [...descriptor.values()].flatMap((component) => {
    const at: FaultAt = (field, message) => ({ componentId: component.id, field, message });
    const kind = triggerKind(component.type);
    if (kind !== undefined) return triggerFaults(component, kind, at);
    if (httpMethod(component.type) !== undefined) return stepFaults(component, descriptor, at);
    return [at("type", `'${component.type}' is not a component that runs here`)];
  });
  faults.push(...addressFaults(descriptor, egress));
  return faults.length > 0 ? faults : shapeFaults(descriptor);
}
