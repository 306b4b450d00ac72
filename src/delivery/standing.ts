import type { DestinationPolicy } from "../db/delivery";
import type { Millis } from "../values/instant";
import type { Attempt, DeadReason, Outcome } from "./attempt";
import type { Destination } from "./destination";
import type { Failing, Pause } from "./state";

const DAY_MS = 86_400_000;
const LONGEST_REASON = 200;
/** Deaths that say that the destination cannot be reached, or wants nothing. Others are the message's own. */
const OF_DESTINATION: readonly DeadReason[] = [
  "exhausted",
  "gone",
  "refused",
  "destination-disabled",
];

/** Why a destination is switched off whose receiver is gone. */
export const GONE = "It answered with 410";

/** When exhausted tries switch a destination off: at once, never, or after so many days without any delivery. */
export type Deactivation = NonNullable<DestinationPolicy["deactivate"]>;

/**
 * A connector's callback is deactivated by exhausted tries (reference connector-events-api.md §8), a webhook or an
 * endpoint after failures that span five days, a flow's step never: its flow says what follows its failure.
 */
export function deactivationOf({
  kind,
  policy,
}: Pick<Destination, "kind" | "policy">): Deactivation {
  if (policy.deactivate !== undefined) return policy.deactivate;
  switch (kind) {
    case "instance":
    case "subscription":
      return "exhausted";
    case "webhook":
    case "endpoint":
      return 5;
    case "flow-step":
    case "operations":
      return "never";
  }
}

/** What went wrong at a try, in a few words. */
export function failureOf({ status, error }: Pick<Attempt, "status" | "error">): string {
  const text = error ?? (status === null ? "No answer" : `Answered with ${status}`);
  return text.slice(0, LONGEST_REASON);
}

/** The first failure among outcomes for which a request was made, or could not be; undefined: none. */
export function firstFailure(outcomes: readonly Outcome[]): Failing | undefined {
  const failed = outcomes.flatMap(({ attempt, next }) => {
    const isFailure =
      next.kind === "retrying" ||
      next.kind === "held" ||
      (next.kind === "dead" && OF_DESTINATION.includes(next.reason));
    return isFailure && attempt !== undefined ? attempt : [];
  });
  const [first] = failed.toSorted((a, b) => a.at - b.at);
  return first && { since: first.at, because: failureOf(first) };
}

/** What outcomes change about a destination's failing: `null` that it fails no more, undefined nothing. */
export function failingAfter(
  failing: Failing | null,
  outcomes: readonly Outcome[],
  now: Millis,
): Failing | null | undefined {
  const isDelivered = outcomes.some(({ next }) => next.kind === "delivered");
  if (isDelivered) return failing === null ? undefined : null;
  if (failing !== null) return undefined;
  const isParked = outcomes.some(({ next }) => next.kind === "parked");
  const because = "The circuit of its endpoint is open, after failures in a row";
  return firstFailure(outcomes) ?? (isParked ? { since: now, because } : undefined);
}

/**
 * Whether exhausted tries, or a receiver's own word, switch a destination off. `failing`: since when nothing is
 * delivered, these outcomes included. `enabled`: later notifications die. `active`: they are held until it is enabled.
 */
export function switchedOffBy(
  reason: DeadReason,
  destination: Pick<Destination, "kind" | "policy">,
  { failing, last, now }: { failing: Failing | null; last: Attempt | undefined; now: Millis },
):
  | { column: "enabled" | "active"; pause: Pause; reason: "gone" | "receiver" | "exhausted" }
  | undefined {
  const receiver = (because: string): Pause => ({ by: "receiver", since: now, because });
  if (reason === "gone") return { column: "enabled", reason: "gone", pause: receiver(GONE) };
  if (reason === "destination-disabled") {
    const pause = receiver("It answered with webhook-delivery: disable");
    return { column: "enabled", reason: "receiver", pause };
  }
  if (reason !== "exhausted" || !isDue(deactivationOf(destination), failing, now)) return undefined;
  const because =
    last === undefined
      ? "A notification was given up that waited for the endpoint's open circuit"
      : `The tries of a notification are exhausted: ${failureOf(last)}`.slice(0, LONGEST_REASON);
  return {
    column: "active",
    reason: "exhausted",
    pause: { by: "exhaustion", since: now, because },
  };
}

function isDue(deactivation: Deactivation, failing: Failing | null, now: Millis): boolean {
  if (deactivation === "exhausted") return true;
  if (deactivation === "never" || failing === null) return false;
  return now - failing.since >= deactivation * DAY_MS;
}
