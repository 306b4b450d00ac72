import type { Attempt, DeadReason, DeliveryItem, Next, Outcome } from "./attempt";
import type { RetryPolicy } from "./backoff";
import type { Destination } from "./destination";
import { givenUpAt } from "./give-up";
import type { Notice } from "./notice";

/** A notification that was not tried. */
export function unsent({ seq, n }: Pick<DeliveryItem, "seq" | "n">, next: Next): Outcome {
  return { seq, n, next };
}

export function dead(reason: DeadReason, at: number): Next {
  return { kind: "dead", at, reason };
}

/** A try that never left: `error` says why. */
export function attemptWithoutCall(n: number, at: number, error: string): Attempt {
  return {
    n,
    at,
    status: null,
    durationMs: 0,
    error,
    responseHeaders: {},
    responseBody: "",
    truncated: false,
  };
}

/** Its turn did not come in time: it comes again at once. */
export function putBack(item: Pick<DeliveryItem, "seq" | "n">, now: number): Outcome {
  return unsent(item, { kind: "pending", at: now + 50 });
}

/** Not tried now: back at `at`, but when it waits for its destination, never after its policy's end. */
export function putOff(
  item: Pick<DeliveryItem, "createdAt" | "firstFailedAt">,
  policy: RetryPolicy,
  { at, parked }: { at: number; parked: boolean },
  now: number,
): Next {
  return parked
    ? { kind: "parked", at: Math.max(Math.min(at, givenUpAt(policy, item) + 1), now + 1_000) }
    : { kind: "pending", at: Math.max(at, now + 50) };
}

export type SwitchedOff = {
  column: "enabled" | "active";
  reason: "gone" | "receiver" | "exhausted";
};

/**
 * Notifications that died, by why, and what that means for their destination. Those that died because it
 * was switched off before are no news.
 */
export function deathsOf(
  { kind }: Pick<Destination, "kind">,
  items: readonly Pick<DeliveryItem, "seq" | "id">[],
  outcomes: readonly Outcome[],
): { notice: Notice; off: SwitchedOff | undefined }[] {
  const died = Map.groupBy(outcomes, ({ next }) =>
    next.kind === "dead" ? next.reason : undefined,
  );
  return [...died].flatMap(([reason, group]) => {
    if (reason === undefined) return [];
    const told = group.filter(({ attempt }) => typeof attempt?.status === "number");
    const news = reason === "destination-disabled" ? told : group;
    if (news.length === 0) return [];
    const seqs = new Set(news.map(({ seq }) => seq));
    const notificationIds = items.filter(({ seq }) => seqs.has(seq)).map(({ id }) => id);
    return [
      {
        notice: { type: "delivery.dead" as const, reason, notificationIds },
        off: switchedOffBy(reason, kind),
      },
    ];
  });
}

/**
 * 410 and the receiver's own word disable a destination; exhausted connector callbacks deactivate their
 * subscription, so that what comes is held until it is released (reference connector-events-api.md §8).
 */
function switchedOffBy(reason: DeadReason, kind: Destination["kind"]): SwitchedOff | undefined {
  if (reason === "gone") return { column: "enabled", reason: "gone" };
  if (reason === "destination-disabled") return { column: "enabled", reason: "receiver" };
  if (reason === "exhausted" && kind === "instance")
    return { column: "active", reason: "exhausted" };
  return undefined;
}
