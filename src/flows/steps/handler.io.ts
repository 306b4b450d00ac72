import type { Config } from "../../config";
import type { Outcome } from "../../delivery/attempt";
import type { Handler, Rendered, Sending } from "../../delivery/handler";
import { eventId } from "../../stream/event-id";
import { parseStreamName, streamName } from "../../stream/stream-name";
import type { Answer } from "../../http/client";
import { httpMethod, STEP_ERROR, STEP_IN, STEP_OUT } from "../components";
import { type Component, stepsBelow } from "../descriptor";
import { ExpressionFault } from "../modifiers/expression";
import { ingest } from "../ingest.io";
import { ModifierFault } from "../modifiers/argument";
import type { FlowValues } from "../modifiers/flow-values";
import { type Scope, transformed, TransformFault } from "../placeholder";
import { stepNext } from "./retry";
import { noteStream } from "../logs/store";
import { recordOf, scopeOf, storedStep } from "./message";
import { derivedUuid, stepTargets, userSource } from "../targets";
import { requestOf, responseContent, type StepRequest } from "./request";
import { type RunningDoors, stopFlow } from "../lifecycle.store";
import { type ReadRunning, readRunningFlows, type RunningFlow } from "../running.store";
import { saveUnprocessed } from "../unprocessed/store";
import { readKeys } from "../../values/path";

/** The doors of one invocation. */
type Doors = RunningDoors & { running: ReadRunning };

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES = 1_048_576;
/** What a run knows may grow to this many characters. */
const MOST_SCOPE = 4_194_304;

/** A step, ready to be sent. */
type Prepared = {
  running: RunningFlow;
  component: Component;
  scope: Scope;
  input: Record<string, unknown>;
  request: StepRequest;
};
type Preparation =
  | ({ kind: "prepared" } & Prepared)
  | { kind: "stopped" }
  | { kind: "faulty"; running: RunningFlow; message: string; input: Record<string, unknown> };

/**
 * The steps of flows, as notifications: the request is made from what the run knows, and the answer is an
 * event for the steps below, committed before the step itself is settled. Its id is derived from the step's
 * notification, so no step that succeeded is followed twice.
 *
 * Whether its flow runs is asked for every step when it is about to leave. What waited in a flow that was
 * stopped, or stopped and started again, ends as dead (`destination-disabled`): it can be sent again by hand.
 */
export function flowHandler(given: RunningDoors): Handler {
  const doors = { ...given, running: readRunningFlows(given.db) };
  return {
    render: (_destination, item) => render(item, doors),
    settled: (_destination, item, outcome, answer) => settled(item, outcome, answer, doors),
  };
}

async function render(item: Sending, doors: Doors): Promise<Rendered> {
  const now = Date.now();
  const prepared = await prepare(item, doors);
  if (prepared.kind !== "stopped") await noteForeign(item, prepared, doors);
  switch (prepared.kind) {
    case "stopped":
      return stopped(now);
    case "faulty":
      return {
        kind: "settled",
        error: prepared.message,
        next: { kind: "dead", at: now, reason: "transform-failed" },
      };
    case "prepared": {
      const { errorHandling } = prepared.component;
      return {
        kind: "request",
        ...prepared.request,
        timeoutMs: TIMEOUT_MS,
        mostBytes: ANSWER_BYTES,
        stands: async () =>
          (await runs(item, doors)) === undefined ? stopped(Date.now()) : undefined,
        judge: ({ status, truncated }, context) =>
          truncated
            ? { kind: "dead", at: context.now, reason: "too-large" }
            : stepNext({ status }, { errorHandling, tries: item.tries + 1, ...context }),
      };
    }
  }
}

const stopped = (at: number): Extract<Rendered, { kind: "settled" }> => ({
  kind: "settled",
  error: "The flow is not running",
  next: { kind: "dead", at, reason: "destination-disabled" },
});

/** The flow of a step, unless it was stopped, or stopped and started again, since the run began. */
async function runs(item: Sending, doors: Doors): Promise<RunningFlow | undefined> {
  const { step } = storedStep.read(item.body);
  const running = await doors.running(step.flowId);
  // What somebody sends again runs, however old it is.
  const again = item.n > item.tries + 1;
  const isEarlier = step.startedAt < (running?.flow.started ?? 0);
  return isEarlier && !again ? undefined : running;
}

/** Runs that an instance or a resource started lie elsewhere: the log must find them. */
async function noteForeign(
  { stream }: Sending,
  { running: { flow } }: { running: RunningFlow },
  { db }: Doors,
): Promise<void> {
  const { organizationId } = flow;
  if (stream === streamName({ organizationId, source: userSource(flow.userId) })) return;
  await noteStream(db, flow.id, stream, Date.now());
}

async function prepare(item: Sending, doors: Doors): Promise<Preparation> {
  const message = storedStep.read(item.body);
  const { step } = message;
  const running = await runs(item, doors);
  const component = running?.descriptor.get(step.componentId);
  const method = httpMethod(component?.type ?? "");
  if (running === undefined || component === undefined || method === undefined)
    return { kind: "stopped" };
  const scope = scopeOf(message, running.descriptor);
  const { sender } = step;
  const sent = readKeys(scope, [sender.componentId, sender.port]);
  const transformation = component.transform[STEP_IN]?.[sender.componentId]?.[sender.port];
  try {
    const input = await transformed(
      transformation,
      sent,
      scope,
      valuesOf(item, running, component, doors.config),
    );
    const verdict = requestOf(method, input);
    return verdict.ok
      ? { kind: "prepared", running, component, scope, input, request: verdict.request }
      : { kind: "faulty", running, message: verdict.message, input };
  } catch (error) {
    if (
      error instanceof TransformFault ||
      error instanceof ModifierFault ||
      error instanceof ExpressionFault
    )
      return { kind: "faulty", running, message: error.message, input: {} };
    throw error;
  }
}

/** Clock and ids are those of the notification, so that every try sends the same. */
function valuesOf(
  item: Sending,
  { flow }: RunningFlow,
  component: Component,
  config: Config,
): FlowValues {
  let uuids = 0;
  return {
    now: item.createdAt,
    uuid: () => derivedUuid(item.id, String((uuids += 1))),
    userId: String(flow.userId),
    flowId: flow.id,
    flowName: flow.name,
    webhookUrl: `${config.publicUrl ?? ""}/flows/${flow.id}/components/${encodeURIComponent(component.id)}`,
    customFields: flow.customFields,
  };
}

async function settled(
  item: Sending,
  outcome: Outcome,
  answer: Answer | undefined,
  doors: Doors,
): Promise<void> {
  const { next } = outcome;
  switch (next.kind) {
    case "delivered":
      return follow(item, answer, doors);
    case "dead":
      return next.reason === "destination-disabled"
        ? undefined
        : failed(item, outcome, answer, doors);
    case "pending":
    case "retrying":
    case "parked":
    case "held":
      return;
  }
}

/** The answer of a step, as an event for the steps below it. */
async function follow(item: Sending, answer: Answer | undefined, doors: Doors): Promise<void> {
  const { step } = storedStep.read(item.body);
  const flow = await doors.running(step.flowId);
  if (flow === undefined || stepsBelow(flow.descriptor, step.componentId, STEP_OUT).length === 0)
    return;
  const prepared = await prepare(item, doors);
  if (prepared.kind !== "prepared" || answer?.kind !== "answered") return;
  const { scope, input, request } = prepared;
  const content = responseContent(answer, input["responseEncoding"], request);
  await commitBelow(item, prepared, STEP_OUT, content, scope, doors);
}

/** A step that failed for good: to its error port, the list of unprocessed messages, or the end of the flow. */
async function failed(
  item: Sending,
  outcome: Outcome,
  answer: Answer | undefined,
  doors: Doors,
): Promise<void> {
  const message = storedStep.read(item.body);
  const { step } = message;
  const now = Date.now();
  const running = await doors.running(step.flowId);
  if (running === undefined) return;
  const component = running.descriptor.get(step.componentId);
  const error = failureOf(outcome, answer);
  const onError = component?.errorHandling.onError ?? "storeUnprocessed";
  if (component !== undefined && onError === "errorPort") {
    const prepared = await prepare(item, doors);
    const input = prepared.kind === "stopped" ? {} : prepared.input;
    const scope = scopeOf(message, running.descriptor);
    const content = { error: { message: error }, input };
    await commitBelow(item, { running, component }, STEP_ERROR, content, scope, doors);
    return;
  }
  await saveUnprocessed(doors.db, {
    id: item.id,
    userId: running.flow.userId,
    flowId: step.flowId,
    componentId: step.componentId,
    correlationId: step.correlationId,
    stream: item.stream,
    seq: item.seq,
    error,
    createdAt: now,
  });
  if (onError === "stopFlow") await stopFlow(doors, running.flow);
}

function failureOf({ attempt, next }: Outcome, answer: Answer | undefined): string {
  if (next.kind === "dead" && next.reason === "too-large")
    return `The answer is larger than ${ANSWER_BYTES} bytes`;
  if (answer?.kind === "answered")
    return `The answer was ${answer.status}: ${answer.text.slice(0, 500)}`;
  return attempt?.error ?? "The step failed";
}

async function commitBelow(
  item: Sending,
  { running, component }: Pick<Prepared, "running" | "component">,
  port: string,
  content: Record<string, unknown>,
  scope: Scope,
  doors: Doors,
): Promise<void> {
  const { step } = storedStep.read(item.body);
  const below = stepsBelow(running.descriptor, component.id, port);
  const known = JSON.stringify({
    scope: { ...scope, [component.id]: { ...recordOf(scope[component.id]), [port]: content } },
  });
  // A run that knows too much goes on with what this step said alone.
  const data =
    known.length <= MOST_SCOPE
      ? known
      : JSON.stringify({ scope: { [component.id]: { [port]: content } } });
  const targets = stepTargets(step.flowId, component.id, below, {
    correlationId: step.correlationId,
    startedAt: step.startedAt,
    input: "scope",
  });
  const event = {
    id: eventId(item.stream, "flow-step", String(item.seq), port),
    objectType: "flow-step",
    objectId: `${step.flowId}/${component.id}`,
    eventType: port,
    date: Date.now(),
    data,
    to: targets.map((_, index) => index),
  };
  const commit = { events: [event], targets };
  await ingest(doors, { ...parseStreamName(item.stream), commit });
}
