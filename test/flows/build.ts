import { type Descriptor, readDescriptor } from "../../src/flows/descriptor";
import type { FlowValues } from "../../src/flows/modifiers/flow-values";

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

export const trigger = (event = "contact-created"): Record<string, unknown> => ({
  type: "appmixer.utils.appevents.OnAppEvent",
  source: {},
  config: { properties: { event } },
});

/** An HTTP step below `T`. */
export const step = (
  lambda: Record<string, unknown> = { url: "https://example.com/cb" },
  modifiers: Record<string, unknown> = {},
  change: Record<string, unknown> = {},
): Record<string, unknown> => ({
  type: "appmixer.utils.http.Post",
  source: { in: { T: ["out"] } },
  config: { transform: { in: { T: { out: { type: "json2new", modifiers, lambda } } } } },
  ...change,
});

export function descriptor(json: unknown): Descriptor {
  const read = readDescriptor(json);
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.descriptor;
}
