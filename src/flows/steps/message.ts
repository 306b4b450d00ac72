import type { FlowStep, NewEvent } from "../../stream/event";
import { triggerKind } from "../components";
import type { Descriptor } from "../descriptor";
import type { Scope } from "../placeholder";
import { isObject } from "../../values/record";
import { isoText } from "../../values/instant";

/** What the stream hands over for a step (`stream/body.ts`). */
export type StepMessage = {
  step: FlowStep;
  event: Pick<NewEvent, "id" | "objectType" | "objectId" | "eventType" | "date">;
  data: unknown;
};

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
