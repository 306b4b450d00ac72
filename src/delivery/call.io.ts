import type { Answer } from "../http/client";
import type { Attempt, Outcome } from "./attempt";
import { nextStep, type RetryPolicy } from "./backoff";
import { callMs, SETTLE_MS } from "./call-time";
import { postAuthorized } from "./authorized.io";
import { type CallDoors, send, type Tried } from "./callback.client";
import type { Isolate } from "./admission.io";
import type { Destination } from "./destination";
import type { Handler, Rendered, Sending } from "./handler";
import type { CallResult } from "./endpoint.object";
import { attemptWithoutCall, dead } from "./outcome";
import { present } from "./present.io";
import { keyring } from "../db/sealed";
import { readDestinations } from "./destinations.store";
import { isOn } from "./state";
import { waitUntil } from "../values/wait";

/** No flow step is begun with less time than this before its lease ends: the stream sends it again then. */
const LEAST_MS = 5_000;
/** After a failure of our own a notification is tried again after this time. */
const OWN_FAILURE_PAUSE_MS = 5_000;

/** What became of one notification, and of the call that was made for it, if one was. */
export type Called = { outcome: Outcome; result?: CallResult };

/** A notification that can be called: its URL is known, and `call` makes one try. */
export type Ready = {
  item: Sending;
  url: string;
  /** @returns undefined, having done nothing, when the lease leaves too little time, or the destination is another now. */
  call: (leaseUntil: number) => Promise<Called | undefined>;
};
/** `no-call`: no request is made, and this is the outcome. */
export type Prepared = { kind: "ready"; ready: Ready } | { kind: "no-call"; outcome: Outcome };

/** A notification whose body is sent as the destination wants it (`present.io.ts`). */
export function prepareCallback(
  destination: Destination & { url: string },
  item: Sending,
  policy: RetryPolicy,
  doors: CallDoors & { db: D1Database; isolate: Isolate },
): Ready {
  const call = async (leaseUntil: number): Promise<Called | undefined> => {
    const current = await asItIs(destination, item, doors);
    if (current === undefined) return undefined;
    if (leaseUntil < Date.now() + callMs(current.policy) + SETTLE_MS) return undefined;
    const { seq, n } = item;
    const body = await present(doors.db, current, item.body);
    const now = Date.now();
    if (!body.ok) {
      const attempt = attemptWithoutCall(n, now, body.message);
      return { outcome: { seq, n, attempt, next: dead(body.reason, now) } };
    }
    const sent = { ...item, body: body.text, headers: body.headers };
    const made = await postAuthorized(current, sent, doors);
    const { attempt } = made;
    if (made.refused) return { outcome: { seq, n, attempt, next: dead("refused", now) } };
    const control = attempt.responseHeaders["webhook-delivery"];
    const { after, retryAfter } = endOf(attempt);
    const next = nextStep(attempt, {
      policy,
      tries: item.tries + 1,
      firstFailedAt: item.firstFailedAt,
      retryAfter,
      control: control === "disable" || control === "abort-message" ? control : undefined,
      now: after,
      chance: Math.random(),
    });
    const outcome = { seq, n, attempt, next };
    return made.answer === undefined ? { outcome } : { outcome, result: resultOf(made) };
  };
  return { item, url: destination.url, call };
}

/**
 * An endpoint as it is now: its call may have waited long for its turn. @returns undefined when it was deleted, switched
 * off or given another address meanwhile; its notification is to come again, and be dealt with anew.
 */
async function asItIs(
  destination: Destination & { url: string },
  { forced }: Sending,
  { db, config }: CallDoors & { db: D1Database },
): Promise<(Destination & { url: string }) | undefined> {
  if (destination.kind !== "endpoint") return destination;
  const { id, url } = destination;
  const ring = keyring(config.masterKeys);
  const found = await readDestinations(db, ring, [destination], Date.now());
  const current = found.get(id)?.destination;
  if (current === undefined || current.url !== url) return undefined;
  return forced || isOn(current) ? { ...current, url } : undefined;
}

/**
 * A notification whose request is rendered by the room it belongs to, such as a flow's step. That room hears of the
 * outcome before the stream settles it. If it fails then, the outcome is dropped, and the notification is tried again.
 */
export async function prepareHandled(
  handler: Handler,
  destination: Destination,
  item: Sending,
  doors: CallDoors,
): Promise<Prepared> {
  const { seq, n } = item;
  try {
    const rendered = await handler.render(destination, item);
    if (rendered.kind === "request") {
      const call = (leaseUntil: number): Promise<Called | undefined> =>
        callHandled(handler, destination, item, rendered, doors, leaseUntil).catch((error) => ({
          outcome: failedHere(item, error),
        }));
      return { kind: "ready", ready: { item, url: rendered.url, call } };
    }
    const attempt = attemptWithoutCall(n, Date.now(), rendered.error);
    return { kind: "no-call", outcome: { seq, n, attempt, next: rendered.next } };
  } catch (error) {
    return { kind: "no-call", outcome: failedHere(item, error) };
  }
}

async function callHandled(
  handler: Handler,
  destination: Destination,
  item: Sending,
  rendered: Extract<Rendered, { kind: "request" }>,
  { config }: CallDoors,
  leaseUntil: number,
): Promise<Called | undefined> {
  const { seq, n } = item;
  const now = Date.now();
  const timeoutMs = Math.min(rendered.timeoutMs, leaseUntil - now - SETTLE_MS);
  if (timeoutMs < LEAST_MS) return undefined;
  const unsent = await rendered.recheck();
  if (unsent !== undefined) {
    const attempt = attemptWithoutCall(n, now, unsent.error);
    const outcome = { seq, n, attempt, next: unsent.next };
    return { outcome: await reported(handler, destination, item, outcome, undefined) };
  }
  const tried = await send(destination, item, { ...rendered, timeoutMs }, config, now);
  const { attempt, answer } = tried;
  const { after, retryAfter } = endOf(attempt);
  const truncated = answer.kind === "answered" && answer.truncated;
  const unreadable = answer.kind === "answered" && answer.fault !== undefined;
  const next: Outcome["next"] = tried.refused
    ? dead("refused", after)
    : rendered.judge(
        { status: attempt.status, truncated, unreadable },
        { now: after, chance: Math.random(), retryAfter },
      );
  const outcome = await reported(handler, destination, item, { seq, n, attempt, next }, answer);
  return tried.refused ? { outcome } : { outcome, result: resultOf(tried) };
}

/**
 * Reports an outcome to the room of the notification. @returns the outcome to settle: a retry, if the report failed.
 */
export async function reported(
  handler: Handler,
  destination: Destination,
  item: Sending,
  outcome: Outcome,
  answer: Answer | undefined,
): Promise<Outcome> {
  try {
    await handler.onOutcome(destination, item, outcome, answer);
    return outcome;
  } catch (error) {
    return failedHere(item, error);
  }
}

/** A failure of our own, not of the receiver: the notification is tried again soon. */
export function failedHere({ stream, seq, n }: Sending, error: unknown): Outcome {
  console.error(JSON.stringify({ at: "deliveries", stream, seq, error: String(error) }));
  return { seq, n, next: { kind: "retrying", at: Date.now() + OWN_FAILURE_PAUSE_MS } };
}

function endOf({ at, durationMs, responseHeaders }: Attempt): {
  after: number;
  retryAfter: number | undefined;
} {
  const after = at + durationMs;
  return { after, retryAfter: waitUntil(responseHeaders["retry-after"] ?? null, after) };
}

function resultOf({ attempt }: Pick<Tried, "attempt">): CallResult {
  const { retryAfter } = endOf(attempt);
  return { status: attempt.status, ...(retryAfter === undefined ? {} : { retryAt: retryAfter }) };
}
