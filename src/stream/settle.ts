import type { Outcome } from "../delivery/attempt";
import type { DeliveryState, Notification } from "./event";
import type { Millis } from "../values/instant";

/** Tries kept with a notification; older ones give way. */
const MOST_ATTEMPTS = 50;

/** Whether something may still happen to a notification by itself. */
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

/** Whether what is behind a notification in its order must wait. */
export function holdsUp(notification: Pick<Notification, "state" | "blocks">): boolean {
  const isDead = notification.state.kind === "dead";
  return isOpen(notification) || (isDead && notification.blocks === true);
}

/**
 * Applies what became of one try. @returns false, changing nothing, when this try is settled already:
 * its number is not the next one, or the notification is not under way.
 */
export function applyOutcome(notification: Notification, outcome: Outcome): boolean {
  const { state, attempts } = notification;
  if (dueAt(state) === null || outcome.n !== nextTry(notification)) return false;
  notification.state = outcome.next;
  delete notification.forced;
  if (outcome.attempt !== undefined) {
    notification.tries += 1;
    notification.attempts = [...attempts, outcome.attempt].slice(-MOST_ATTEMPTS);
    if (outcome.next.kind !== "delivered") notification.firstFailedAt ??= outcome.attempt.at;
  }
  return true;
}

/** Starts a notification anew: due now, its policy counting from the beginning, its id the same. */
export function release(notification: Notification, now: Millis, forced = false): void {
  delete notification.firstFailedAt;
  notification.released = true;
  if (forced) notification.forced = true;
  notification.tries = 0;
  notification.state = { kind: "pending", at: now };
}

/** When a notification in this state may leave; null: not by itself. */
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

/** When the stream must look at these notifications again; null: never by itself. */
export function nextAtOf(notifications: readonly Pick<Notification, "state">[]): Millis | null {
  const times = notifications.flatMap(({ state }) => dueAt(state) ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** The number of the next try. */
export function nextTry({ attempts }: Notification): number {
  return (attempts.at(-1)?.n ?? 0) + 1;
}
