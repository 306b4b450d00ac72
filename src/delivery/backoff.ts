import type { Attempt, Next } from "./attempt";
import type { Millis } from "../values/instant";

/** When a notification is tried again, and when it is given up. */
export type RetryPolicy =
  /** Delays after the original failure (connector callbacks, reference connector-events-api.md §8). */
  | { kind: "after-first-failure"; delaysSeconds: readonly number[] }
  /** Delays before each try, the first included, with jitter. */
  | { kind: "before-each-try"; delaysSeconds: readonly number[]; jitter: number }
  /** Never by itself: held at the first failure. */
  | { kind: "queue" };

export const CONNECTOR_DEFAULT: RetryPolicy = {
  kind: "after-first-failure",
  delaysSeconds: [8, 64, 512, 4096, 32768],
};
export const CONNECTOR_LONG: RetryPolicy = {
  kind: "after-first-failure",
  delaysSeconds: [4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144],
};
const MINUTE = 60;
const HOUR = 3600;
/** 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (Standard Webhooks). */
export const STANDARD: RetryPolicy = {
  kind: "before-each-try",
  delaysSeconds: [
    0,
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
  ],
  jitter: 0.2,
};

/** A receiver may put a try off by this much at most. */
const LONGEST_RETRY_AFTER_MS = 86_400_000;

/**
 * What one try means. Any 2xx is success. `tries` counts this one; `firstFailedAt` is the first failure
 * since the notification started; `retryAfter` is an instant the receiver asked for; `chance` is in [0, 1).
 */
export function nextStep(
  attempt: Pick<Attempt, "status" | "at">,
  context: {
    policy: RetryPolicy;
    tries: number;
    firstFailedAt: Millis | undefined;
    retryAfter: Millis | undefined;
    control: "disable" | "abort-message" | undefined;
    now: Millis;
    chance: number;
  },
): Next {
  const { policy, tries, retryAfter, now, chance } = context;
  if (attempt.status !== null && attempt.status >= 200 && attempt.status < 300)
    return { kind: "delivered", at: now };
  if (context.control === "abort-message") return { kind: "dead", at: now, reason: "aborted" };
  if (context.control === "disable")
    return { kind: "dead", at: now, reason: "destination-disabled" };
  if (attempt.status === 410) return { kind: "dead", at: now, reason: "gone" };
  if (policy.kind === "queue") return { kind: "held", reason: "queued" };
  const planned = plannedAt(policy, tries, context.firstFailedAt ?? attempt.at, now, chance);
  if (planned === undefined) return { kind: "dead", at: now, reason: "exhausted" };
  const requested =
    retryAfter === undefined ? planned : Math.min(retryAfter, now + LONGEST_RETRY_AFTER_MS);
  return { kind: "retrying", at: Math.max(planned, requested, now) };
}

function plannedAt(
  policy: Exclude<RetryPolicy, { kind: "queue" }>,
  tries: number,
  firstFailedAt: Millis,
  now: Millis,
  chance: number,
): Millis | undefined {
  switch (policy.kind) {
    case "after-first-failure": {
      const delay = policy.delaysSeconds[tries - 1];
      return delay === undefined ? undefined : firstFailedAt + delay * 1000;
    }
    case "before-each-try": {
      const delay = policy.delaysSeconds[tries];
      return delay === undefined
        ? undefined
        : now + delay * 1000 * (1 + policy.jitter * (2 * chance - 1));
    }
  }
}
