import * as z from "zod";
import type { FlowStep } from "../../stream/event";
import { triggerKind } from "../components";
import type { Descriptor } from "../descriptor";
import type { Scope } from "../placeholder";
import { isObject } from "../../values/record";
import { isoText } from "../../values/instant";
import { storedJson } from "../../values/stored-json";

/** What the stream hands over for a step (`stream/body.ts`): it may be as old as a notification gets. */
export const storedStep = storedJson(
  z.object({
    step: z.object({
      format: z.literal("flow-step"),
      flowId: z.string(),
      componentId: z.string(),
      sender: z.object({ componentId: z.string(), port: z.string() }),
      correlationId: z.string(),
      startedAt: z.number(),
      input: z.enum(["content", "record", "scope"]),
    }) satisfies z.ZodType<FlowStep>,
    event: z.object({
      id: z.string(),
      objectType: z.string(),
      objectId: z.string(),
      eventType: z.string(),
      date: z.number(),
    }),
    data: z.unknown(),
  }),
);
export type StepMessage = ReturnType<typeof storedStep.read>;

/** What the run knows when a step begins: component id → out port → content. */
export function scopeOf({ step, event, data }: StepMessage, descriptor: Descriptor): Scope {
  const { componentId, port } = step.sender;
  switch (step.input) {
    case "scope":
      return recordOf(recordOf(data)["scope"]);
    case "content": {
      const content = recordOf(recordOf(data)["content"]);
      const kind = triggerKind(descriptor.get(componentId)?.type ?? "");
      // An app event's payload is wrapped in `data`, and nothing is beside it.
      return {
        [componentId]: { [port]: kind === "app-event" ? { data: content["data"] } : content },
      };
    }
    case "record": {
      const { objectType, objectId, eventType, date } = event;
      const content = { objectType, objectId, eventType, date: isoText(date), data };
      return { [componentId]: { [port]: content } };
    }
  }
}

export function recordOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
