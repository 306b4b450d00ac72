import { withHops } from "../../delivery/own-address";
import { eventId } from "../../stream/event-id";
import type { Commit, FlowStep } from "../../stream/event";
import { recordOf } from "../../values/record";
import type { Millis } from "../../values/instant";
import { type Descriptor, stepsBelow } from "../descriptor";
import { stepTargets } from "../targets";
import type { Scope } from "./input";

/** The scope of a run may grow to this many characters. */
const MOST_SCOPE = 4_194_304;

/**
 * What a step sends out of one of its ports: one event in its run's stream, with a notification for every step
 * that listens to the port. The event's id is derived from the step's own notification, so an outcome that is
 * handled twice is followed once.
 */
export function followUp(
  { stream, seq, hops = 0 }: { stream: string; seq: number; hops?: number | undefined },
  { flowId, componentId, correlationId, startedAt }: FlowStep,
  { descriptor, scope }: { descriptor: Descriptor; scope: Scope },
  { port, content }: { port: string; content: Record<string, unknown> },
  now: Millis,
): Pick<Commit, "events" | "targets"> {
  const below = stepsBelow(descriptor, componentId, port);
  const run = { correlationId, startedAt, input: "scope" } as const;
  const targets = stepTargets(flowId, componentId, below, run);
  const event = {
    id: eventId(stream, "flow-step", String(seq), port),
    objectType: "flow-step",
    objectId: `${flowId}/${componentId}`,
    eventType: port,
    date: now,
    data: scopeText(scope, componentId, { [port]: content }),
    ...withHops(hops),
    to: targets.map((_, index) => index),
  };
  return { events: [event], targets };
}

/** The scope with a step's content added. When that is too large, the run goes on with this content alone. */
function scopeText(scope: Scope, componentId: string, ports: Record<string, unknown>): string {
  const whole = JSON.stringify({
    scope: { ...scope, [componentId]: { ...recordOf(scope[componentId]), ...ports } },
  });
  return whole.length <= MOST_SCOPE ? whole : JSON.stringify({ scope: { [componentId]: ports } });
}
