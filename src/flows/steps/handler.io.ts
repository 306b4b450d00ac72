import { keyring } from "../../db/sealed";
import type { Outcome } from "../../delivery/attempt";
import type { Handler, Rendered, Sending, Unsent } from "../../delivery/handler";
import type { Answer } from "../../http/client";
import { commitCounted } from "../../stream/counted-commit.io";
import { parseStreamName, streamName } from "../../stream/stream-name";
import { STEP_ERROR, STEP_OUT } from "../components";
import { stepsBelow } from "../descriptor";
import type { RunningFlow } from "../flow";
import { userSource } from "../ids";
import type { FlowDoors } from "../doors";
import { stopFlow } from "../lifecycle.store";
import { noteStream } from "../logs/store";
import { type ReadRunning, readRunningFlows } from "../running.store";
import { saveUnprocessed } from "../unprocessed/store";
import { failureText } from "./failure";
import { followUp } from "./follow-up";
import { type Scope } from "./input";
import { readStep, scopeOf, type StepMessage } from "./message";
import { type PreparedStep, prepareStep } from "./prepare";
import { responseContent } from "./response";
import { isLeftBehind, statusWithoutBody, stepNext } from "./retry";

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES = 1_048_576;

type Doors = FlowDoors & { readRunning: ReadRunning };

/**
 * The steps of flows. A step is a notification like any other: it waits, is called, retried and settled in its
 * run's stream. Two things differ, and they are here.
 *
 * 1. Its request is made only when it is about to leave, from what its run has produced so far (`render`).
 *    Whether its flow is running is read then, and once more right before the call. A step whose flow was
 *    stopped, or stopped and started again, ends as dead (`destination-disabled`); it can be sent again by hand.
 * 2. Its answer is an event for the steps below it (`onOutcome`), committed before the step itself is settled.
 *    A crash in between repeats the commit, not its effect: the event's id is derived from the step's
 *    notification.
 *
 * Example: app event `order-paid` → trigger `T` → step `P` posts the order → step `Q` below `P` posts P's answer.
 * The event's commit holds the notification of `P`. When `P` is answered with a 2xx, an event
 * `{scope: {T: {out: …}, P: {response: …}}}` is committed with the notification of `Q`, and then `P` is settled.
 */
export function flowHandler(given: FlowDoors): Handler {
  const doors = { ...given, readRunning: readRunningFlows(given.db) };
  return {
    render: (_destination, notification) => render(notification, doors),
    onOutcome: (_destination, notification, outcome, answer) =>
      onOutcome(notification, outcome, answer, doors),
  };
}

async function render(notification: Sending, doors: Doors): Promise<Rendered> {
  const now = Date.now();
  const message = readStep(notification.body);
  if (message === undefined) return unreadable(now);
  const running = await flowOfStep(notification, message, doors);
  const prepared = running && (await prepare(notification, message, running, doors));
  if (running === undefined || prepared === undefined) return notRunning(now);
  await noteStreamOfRun(notification, running, doors);
  const { made, component } = prepared;
  if (!made.ok) {
    const next = { kind: "dead", at: now, reason: made.reason } as const;
    return { kind: "unsent", error: made.message, next };
  }
  const { errorHandling } = component;
  const isRead = stepsBelow(running.descriptor, message.step.componentId, STEP_OUT).length > 0;
  return {
    kind: "request",
    ...made.request,
    timeoutMs: TIMEOUT_MS,
    mostBytes: ANSWER_BYTES,
    recheck: async () =>
      (await flowOfStep(notification, message, doors)) === undefined
        ? notRunning(Date.now())
        : undefined,
    judge: (attempt, context) =>
      attempt.truncated
        ? { kind: "dead", at: context.now, reason: "too-large" }
        : stepNext(
            {
              status: attempt.unreadable
                ? statusWithoutBody(attempt.status, isRead)
                : attempt.status,
            },
            { errorHandling, tries: notification.tries + 1, ...context },
          ),
  };
}

const unreadable = (at: number): Unsent => ({
  kind: "unsent",
  error: "The step's message cannot be read",
  next: { kind: "dead", at, reason: "unrenderable" },
});

const notRunning = (at: number): Unsent => ({
  kind: "unsent",
  error: "The flow is not running",
  next: { kind: "dead", at, reason: "destination-disabled" },
});

/** The flow of a step, if it is running and has not been stopped since the run began. */
async function flowOfStep(
  notification: Sending,
  { step }: StepMessage,
  doors: Doors,
): Promise<RunningFlow | undefined> {
  const running = await doors.readRunning(step.flowId);
  return running === undefined || isLeftBehind(step, running.flow, notification)
    ? undefined
    : running;
}

const prepare = (
  notification: Sending,
  message: StepMessage,
  running: RunningFlow,
  { config }: Doors,
): Promise<PreparedStep | undefined> =>
  prepareStep(notification, message, running, {
    ring: keyring(config.masterKeys),
    publicUrl: config.publicUrl ?? "",
  });

/** Runs that an instance or a resource started are not in the user's stream: writes down where, for the log. */
async function noteStreamOfRun(
  { stream }: Sending,
  { flow }: RunningFlow,
  { db }: Doors,
): Promise<void> {
  const { organizationId, userId } = flow;
  if (stream === streamName({ organizationId, source: userSource(userId) })) return;
  await noteStream(db, flow.id, stream, Date.now());
}

async function onOutcome(
  notification: Sending,
  outcome: Outcome,
  answer: Answer | undefined,
  doors: Doors,
): Promise<void> {
  const { next } = outcome;
  switch (next.kind) {
    case "delivered":
      return onDelivered(notification, answer, doors);
    case "dead":
      return next.reason === "destination-disabled"
        ? undefined
        : onFailed(notification, failureText(outcome, answer, ANSWER_BYTES), doors);
    case "pending":
    case "retrying":
    case "parked":
    case "held":
      return;
  }
}

/** The answer goes to the steps below, if there are any. */
async function onDelivered(
  notification: Sending,
  answer: Answer | undefined,
  doors: Doors,
): Promise<void> {
  const message = readStep(notification.body);
  const running = message && (await flowOfStep(notification, message, doors));
  if (message === undefined || running === undefined || answer?.kind !== "answered") return;
  if (stepsBelow(running.descriptor, message.step.componentId, STEP_OUT).length === 0) return;
  const prepared = await prepare(notification, message, running, doors);
  if (prepared === undefined || !prepared.made.ok) return;
  const content = responseContent(
    answer,
    prepared.input["responseEncoding"],
    prepared.made.request,
  );
  const { scope } = prepared;
  await sendBelow(notification, message, { running, scope, port: STEP_OUT, content }, doors);
}

/** A step that failed for good goes where its flow says: its error port, or the list of unprocessed messages. */
async function onFailed(notification: Sending, error: string, doors: Doors): Promise<void> {
  const message = readStep(notification.body);
  if (message === undefined) return;
  const { step } = message;
  // Also for a run of an earlier start: it has failed all the same, and its owner is to see it.
  const running = await doors.readRunning(step.flowId);
  if (running === undefined) return;
  const component = running.descriptor.get(step.componentId);
  const onError = component?.errorHandling.onError ?? "storeUnprocessed";
  if (onError === "errorPort") {
    const prepared = await prepare(notification, message, running, doors);
    const content = { error: { message: error }, input: prepared?.input ?? {} };
    const scope = scopeOf(message, running.descriptor);
    await sendBelow(notification, message, { running, scope, port: STEP_ERROR, content }, doors);
    return;
  }
  await saveUnprocessed(doors.db, {
    id: notification.id,
    userId: running.flow.userId,
    flowId: step.flowId,
    componentId: step.componentId,
    correlationId: step.correlationId,
    stream: notification.stream,
    seq: notification.seq,
    error,
    createdAt: Date.now(),
  });
  if (onError === "stopFlow") await stopFlow(doors, running.flow);
}

async function sendBelow(
  notification: Sending,
  { step }: StepMessage,
  sent: {
    running: RunningFlow;
    scope: Scope;
    port: string;
    content: Record<string, unknown>;
  },
  doors: Doors,
): Promise<void> {
  const { descriptor } = sent.running;
  const commit = followUp(notification, step, { descriptor, scope: sent.scope }, sent, Date.now());
  await commitCounted(doors, { ...parseStreamName(notification.stream), commit });
}
