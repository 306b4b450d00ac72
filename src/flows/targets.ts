import type { Commit, FlowStep, NewEvent, Target } from "../stream/event";
import { runId, stepDestinationId } from "./ids";
import type { Trigger } from "./triggers/trigger";

/** What a step further down needs to know of its run. */
type Run = Pick<FlowStep, "correlationId" | "startedAt" | "input">;

/** One notification for each step that listens to a component, each naming the port it listens to. */
export function stepTargets(
  flowId: string,
  sender: string,
  steps: readonly { componentId: string; port: string }[],
  run: Run,
): Target[] {
  return steps.map(({ componentId, port }) => ({
    destinationId: stepDestinationId(flowId, componentId),
    envelope: {
      format: "flow-step",
      flowId,
      componentId,
      sender: { componentId: sender, port },
      ...run,
    },
    most: 1,
    ordering: "none",
  }));
}

/** A run: one notification for each step right below its trigger. `input` says what the event's data is. */
export function runTargets(
  trigger: Pick<Trigger, "flowId" | "componentId" | "steps" | "createdAt">,
  eventId: string,
  input: "content" | "record",
): Target[] {
  const { flowId, componentId, steps, createdAt } = trigger;
  const correlationId = runId(eventId, trigger);
  return stepTargets(flowId, componentId, steps, { correlationId, startedAt: createdAt, input });
}

/** A commit of one event that starts one run, with `content` as what the trigger sends. */
export function runCommit(
  trigger: Pick<Trigger, "flowId" | "componentId" | "steps" | "createdAt">,
  event: Pick<NewEvent, "id" | "objectType" | "eventType" | "date" | "hops">,
  content: unknown,
): Pick<Commit, "events" | "targets"> {
  const targets = runTargets(trigger, event.id, "content");
  const objectId = `${trigger.flowId}/${trigger.componentId}`;
  const data = JSON.stringify({ content });
  return { events: [{ ...event, objectId, data, to: targets.map((_, index) => index) }], targets };
}
