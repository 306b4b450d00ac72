import type { Refusal } from "./admission.io";
import type { Attempt, DeadReason, DeliveryItem, Next, Outcome } from "./attempt";
import type { RetryPolicy } from "./backoff";
import type { Destination } from "./destination";
import { givenUpAt } from "./give-up";
import type { Notice } from "./notice";
import { failingAfter, switchedOffBy } from "./standing";

/** A notification that was not tried. */
export function unsent({ seq, n }: Pick<DeliveryItem, "seq" | "n">, next: Next): Outcome {
  return { seq, n, next };
}

export function dead(reason: DeadReason, at: number): Next {
  return { kind: "dead", at, reason };
}

/** The record of a try for which no request was made; `error` says why. */
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

/** No call was begun in time: the notification comes again at once. */
export function putBack(item: Pick<DeliveryItem, "seq" | "n">, now: number): Outcome {
  return unsent(item, { kind: "pending", at: now + 50 });
}

/**
 * Not tried now, back at `at`. One that waits for an open circuit comes back when its policy gives it up, at the
 * latest.
 */
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

/**
 * When a notification comes back that may not be called now. A parked one is called back by the endpoint as soon as a
 * probe succeeds. Steps of flows, whose addresses differ from one another (`waits` is false), come back by themselves
 * after the next probe, spread over a second by `chance` (0..1).
 */
export function returnOf(
  answer: Refusal,
  waits: boolean,
  chance: number,
): { at: number; parked: boolean } {
  if (answer.kind === "paced") return { at: answer.returnAt, parked: false };
  return waits
    ? { at: answer.returnAt, parked: true }
    : { at: answer.probeAt + 1_000 * chance, parked: false };
}

export type SwitchedOff = NonNullable<ReturnType<typeof switchedOffBy>>;

/**
 * The notifications that died, by reason, and whether that switches their destination off. Those that died because it
 * had been switched off before are left out; those whose answer switches it off (`webhook-delivery: disable`) are not.
 */
export function deathsOf(
  destination: Pick<Destination, "kind" | "policy" | "failing">,
  items: readonly Pick<DeliveryItem, "seq" | "id">[],
  outcomes: readonly Outcome[],
  now: number,
): { notice: Notice; off: SwitchedOff | undefined }[] {
  const changed = failingAfter(destination.failing, outcomes, now);
  const failing = changed === undefined ? destination.failing : changed;
  const died = Map.groupBy(outcomes, ({ next }) =>
    next.kind === "dead" ? next.reason : undefined,
  );
  return [...died].flatMap(([reason, group]) => {
    if (reason === undefined) return [];
    const answered = group.filter(({ attempt }) => typeof attempt?.status === "number");
    const reported = reason === "destination-disabled" ? answered : group;
    if (reported.length === 0) return [];
    const seqs = new Set(reported.map(({ seq }) => seq));
    const notificationIds = items.filter(({ seq }) => seqs.has(seq)).map(({ id }) => id);
    const last = reported.findLast(({ attempt }) => attempt !== undefined)?.attempt;
    return [
      {
        notice: { type: "delivery.dead" as const, reason, notificationIds },
        off: switchedOffBy(reason, destination, { failing, last, now }),
      },
    ];
  });
}
