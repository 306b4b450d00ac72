import type { Commit, FlowStep, NewEvent, Target } from "../stream/event";
import type { Millis } from "../values/instant";
import { sha256 } from "../values/bytes";

/** A row of `flow_triggers`, as a source needs it to start a flow. */
export type Trigger = {
  flowId: string;
  componentId: string;
  userId: number;
  organizationId: number;
  key: string;
  steps: { componentId: string; port: string }[];
  properties: Record<string, unknown>;
  /** When its flow was started: what a run is known by as one of this start, not of an earlier one. */
  createdAt: Millis;
};

export const stepDestinationId = (flowId: string, componentId: string): string =>
  `flow-${flowId}-${componentId}`;

/** The source of a user's own runs. */
export const userSource = (userId: number): string => `user:${userId}`;

/** A UUID that is the same whenever it is derived from the same parts. */
export function derivedUuid(...parts: string[]): string {
  const hex = sha256(JSON.stringify(parts), "hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** The run that an event starts in a flow. */
export const runId = (eventId: string, trigger: Pick<Trigger, "flowId" | "componentId">): string =>
  derivedUuid(eventId, trigger.flowId, trigger.componentId);

/** The targets of an event that starts a flow: one notification for each step directly below its trigger. */
export function triggerTargets(
  trigger: Pick<Trigger, "flowId" | "componentId" | "steps" | "createdAt">,
  run: { correlationId: string; input: "content" | "record" },
): Target[] {
  const { flowId, componentId, steps, createdAt } = trigger;
  return stepTargets(flowId, componentId, steps, { ...run, startedAt: createdAt });
}

/** The targets of what a component sent: its steps below, each once for the port it listens to. */
export function stepTargets(
  flowId: string,
  sender: string,
  steps: readonly { componentId: string; port: string }[],
  run: Pick<FlowStep, "correlationId" | "startedAt" | "input">,
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

/** A commit with a run for every event and every trigger that listens to it. */
export function withRuns(
  { events, targets }: Pick<Commit, "events" | "targets">,
  triggers: readonly Trigger[],
  listens: (trigger: Trigger, event: NewEvent) => boolean,
): Pick<Commit, "events" | "targets"> {
  if (triggers.length === 0) return { events, targets };
  const all = [...targets];
  const started = events.map((event) => {
    const own = triggers
      .filter((trigger) => listens(trigger, event))
      .flatMap((trigger) =>
        triggerTargets(trigger, {
          correlationId: runId(event.id, trigger),
          input: "record",
        }),
      );
    const to = [...event.to, ...own.map((_, index) => all.length + index)];
    all.push(...own);
    return { ...event, to };
  });
  return { events: started, targets: all };
}
