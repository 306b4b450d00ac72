import { invalid, type Refusal } from "../../http/refusal";
import type { EgressPolicy } from "../../http/egress";
import { addressFaults } from "./address";
import { type Descriptor, type Fault, readDescriptor } from "../descriptor";
import type { Columns } from "../fields";
import type { Flow } from "../flow";
import { isMadeUp } from "../sealed-flow";
import { faultsOf } from "./faults";
import { signatureFaultsOf } from "./trigger";

/** The refusal of a flow that can't be kept or started: each fault names component and field. */
export function faulty(faults: readonly Fault[]): Refusal {
  const [first] = faults;
  const place = [first?.componentId ?? "", first?.field ?? ""].filter((part) => part !== "");
  return invalidWith(`${place.join(": ")}: ${first?.message ?? "Invalid flow"}`, faults);
}

function invalidWith(message: string, details: unknown): Refusal {
  const refusal = invalid(message);
  if (refusal.reason.kind === "invalid") refusal.reason.details = details;
  return refusal;
}

/** What keeps a flow from starting, as a client is told before it tries. */
export function allFaults(flow: Pick<Flow, "flow">, egress: EgressPolicy): Fault[] {
  const read = readDescriptor(flow.flow);
  return read.ok ? faultsOf(read.descriptor, egress) : read.faults;
}

/** @throws Refusal with all faults, when the flow can't start. */
export function startable(flow: Pick<Flow, "flow">, egress: EgressPolicy): Descriptor {
  const read = readDescriptor(flow.flow);
  if (!read.ok) throw faulty(read.faults);
  const faults = faultsOf(read.descriptor, egress);
  if (faults.length > 0) throw faulty(faults);
  return read.descriptor;
}

/**
 * A flow may be saved unfinished, but with no address that may never be called, and no signature that could never be
 * checked. @returns the columns as they are. @throws Refusal with all such faults.
 */
export function savable(columns: Columns, egress: EgressPolicy): Columns {
  if (isMadeUp(columns)) throw invalid("flow: '~sealed.' is for the platform's own use", "flow");
  const read = columns.flow === undefined ? undefined : readDescriptor(columns.flow);
  const faults =
    read?.ok === true
      ? [...addressFaults(read.descriptor, egress), ...signatureFaultsOf(read.descriptor)]
      : [];
  if (faults.length > 0) throw faulty(faults);
  return columns;
}
