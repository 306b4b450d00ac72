import type { DeadReason, HeldReason } from "../../delivery/attempt";
import { failureOf } from "../../delivery/standing";
import { type DestinationState, isPaused, stateText } from "../../delivery/state";
import type { Notification } from "../../stream/event";

type Shown = Pick<Notification, "state" | "attempts">;
export type Reason = DeadReason | HeldReason | "no-destination";

/** Why a notification is dead or held, in one word; null for all others. */
export function reasonOf({ state, attempts }: Shown): Reason | null {
  switch (state.kind) {
    case "dead":
      return state.reason;
    case "kept":
      return "no-destination";
    case "held":
      // An earlier version kept no reason; without a try it was held because its subscription was paused.
      return state.reason ?? (attempts.length === 0 ? "paused" : "queued");
    case "pending":
    case "retrying":
    case "parked":
    case "waiting":
    case "delivered":
      return null;
  }
}

/** Each reason in a sentence that speaks of one notification. */
export const WORDS: Record<Reason, string> = {
  exhausted: "All its tries failed",
  gone: "The receiver answered that it is gone for good (410)",
  aborted: "The receiver asked that it be tried no more (webhook-delivery: abort-message)",
  refused: "Its address may not be called, or is none",
  "destination-disabled": "Its destination was switched off",
  "destination-deleted": "Its destination was deleted",
  expired: "It was too old to be sent",
  "too-large": "It, or the answer to it, was too large",
  "transform-failed": "The transform failed on it",
  unrenderable: "No request can be made of what is stored",
  loop: "It went round in a circle of requests of this platform",
  cancelled: "Somebody cancelled it: it is sent only when it is asked for again",
  paused: "Its destination was paused: it goes when the destination is enabled",
  queued: "A try failed, and the policy is to hold it then until it is released",
  "no-destination": "It has no destination",
};

/** Why a notification is dead or held, in a sentence, with its last failure and what its destination says now. */
export function becauseOf(
  notification: Shown,
  destination: DestinationState | undefined,
): string | null {
  const reason = reasonOf(notification);
  if (reason === null) return null;
  const last = notification.attempts.at(-1);
  const isFailed = last !== undefined && (last.error !== null || last.status !== 200);
  const isOff = destination !== undefined && isPaused(destination);
  const isUntried = reason === "exhausted" && last === undefined;
  return [
    isUntried ? "It was given up untried: it waited too long for an open circuit" : WORDS[reason],
    ...(isFailed ? [`last try: ${failureOf(last)}`] : []),
    ...(isOff ? [`the destination is ${stateText(destination)}`] : []),
  ].join("; ");
}
