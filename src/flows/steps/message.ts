import * as z from "zod";
import type { FlowStep } from "../../stream/event";
import { triggerKind } from "../components";
import type { Descriptor } from "../descriptor";
import type { Scope } from "./input";
import { recordOf } from "../../values/record";
import { isoTextOrNull } from "../../values/instant";
import { storedJson } from "../../values/stored-json";
import { copyDigits } from "../../values/digits";

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

/** What a step's body says; undefined when it cannot be read: then it is not known whose step it is. */
export function readStep(body: string): StepMessage | undefined {
  try {
    return storedStep.read(body);
  } catch {
    return undefined;
  }
}

/**
 * What the run has produced when a step begins. A step right below a trigger has the trigger's content alone; the
 * data of an event for steps further below is the whole scope.
 */
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
        [componentId]: {
          [port]: kind === "app-event" ? copyDigits(content, { data: content["data"] }) : content,
        },
      };
    }
    case "record": {
      const { objectType, objectId, eventType, date } = event;
      const content = { objectType, objectId, eventType, date: isoTextOrNull(date), data };
      return { [componentId]: { [port]: content } };
    }
  }
}
