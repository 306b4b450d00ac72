import type { Outcome } from "../delivery/attempt";
import { withoutRequest } from "../delivery/record";
import type { DeliveryState, Notification } from "./event";
import type { Millis } from "../values/instant";

/** The most tries kept with a notification; the oldest are dropped. */
const MOST_ATTEMPTS = 50;

/** Whether a notification is not at its end: it is due, will be, or waits to be let go. */
export function isOpen({ state }: Pick<Notification, "state">): boolean {
  switch (state.kind) {
    case "pending":
    case "retrying":
    case "parked":
    case "waiting":
    case "held":
      return true;
    case "kept":
    case "delivered":
    case "dead":
      return false;
  }
}

/** Whether somebody ended it before it was delivered. */
export const isCancelled = (state: DeliveryState): state is DeliveryState & { kind: "dead" } =>
  state.kind === "dead" && state.reason === "cancelled";

/** Whether notifications of the same order that come after this one must wait. */
export function blocksFollowers(notification: Pick<Notification, "state" | "blocks">): boolean {
  const isDead = notification.state.kind === "dead";
  return isOpen(notification) || (isDead && notification.blocks === true);
}

/**
 * Records what became of one try, and the state after it. A try that was under way when somebody cancelled the
 * notification, or sent it again, decides only that it was delivered: what was asked for after it began holds otherwise.
 * @returns false, changing nothing, when this outcome was recorded before: its number is not that of the next try, or the
 * notification is not due for any.
 */
export function applyOutcome(notification: Notification, outcome: Outcome): boolean {
  const { state, attempts, overtaken } = notification;
  if (outcome.n !== nextTry(notification)) return false;
  const isOvertaken = overtaken === outcome.n;
  if (dueAt(state) === null && !(isOvertaken && isCancelled(state))) return false;
  delete notification.overtaken;
  if (outcome.next.kind === "delivered" || !isOvertaken) {
    notification.state = outcome.next;
    delete notification.forced;
  }
  if (outcome.attempt !== undefined) {
    notification.tries += 1;
    const tried = [...attempts.map(withoutRequest), outcome.attempt];
    notification.attempts = tried.slice(-MOST_ATTEMPTS);
    if (outcome.next.kind !== "delivered") notification.firstFailedAt ??= outcome.attempt.at;
  }
  return true;
}

/**
 * Makes a notification due now, with the same id and body; its retry schedule begins again. `mayBeUnderWay`: a try of it
 * may be, which was not asked for.
 */
export function resetForResend(
  notification: Notification,
  now: Millis,
  { forced, mayBeUnderWay }: { forced: boolean; mayBeUnderWay: boolean },
): void {
  delete notification.firstFailedAt;
  if (mayBeUnderWay) notification.overtaken = nextTry(notification);
  notification.released = true;
  if (forced) notification.forced = true;
  notification.tries = 0;
  notification.state = { kind: "pending", at: now };
}

/** Ends a notification as cancelled; `mayBeUnderWay` as above. */
export function endByHand(notification: Notification, now: Millis, mayBeUnderWay: boolean): void {
  if (mayBeUnderWay) notification.overtaken = nextTry(notification);
  notification.state = { kind: "dead", at: now, reason: "cancelled" };
}

/** When a notification in this state is due; null: it is not, unless something changes its state. */
export function dueAt(state: DeliveryState): Millis | null {
  switch (state.kind) {
    case "pending":
    case "retrying":
    case "parked":
      return state.at;
    case "waiting":
    case "held":
    case "kept":
    case "delivered":
    case "dead":
      return null;
  }
}

/** When the first of these notifications is due; null: none is. */
export function earliestDueAt(
  notifications: readonly Pick<Notification, "state">[],
): Millis | null {
  const times = notifications.flatMap(({ state }) => dueAt(state) ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** The number of the next try. */
export function nextTry({ attempts }: Notification): number {
  return (attempts.at(-1)?.n ?? 0) + 1;
}
