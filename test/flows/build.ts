import { type Descriptor, readDescriptor } from "../../src/flows/descriptor";
import type { FlowValues } from "../../src/flows/modifiers/flow-values";

export { step, trigger } from "./components";

export function values(change: Partial<FlowValues> = {}): FlowValues {
  let uuids = 0;
  return {
    now: Date.UTC(2026, 0, 2, 3, 4, 5),
    uuid: () => `uuid-${(uuids += 1)}`,
    userId: "7",
    flowId: "f1",
    flowName: "Name",
    webhookUrl: "https://tributary.example/flows/f1/components/P",
    customFields: { plan: "gold" },
    ...change,
  };
}

export function descriptor(json: unknown): Descriptor {
  const read = readDescriptor(json);
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.descriptor;
}
