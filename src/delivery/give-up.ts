import type { RetryPolicy } from "./backoff";
import type { Millis } from "../values/instant";

/**
 * The instant until which a notification may wait for its destination: what the policy's tries would
 * have taken altogether, counted from the first failure, or from its creation when none was made.
 */
export function givenUpAt(
  policy: RetryPolicy,
  { createdAt, firstFailedAt }: { createdAt: Millis; firstFailedAt?: Millis | undefined },
): Millis {
  const from = firstFailedAt ?? createdAt;
  switch (policy.kind) {
    case "queue":
      return Number.MAX_SAFE_INTEGER;
    case "after-first-failure":
      return from + 1000 * (policy.delaysSeconds.at(-1) ?? 0);
    case "before-each-try":
      return from + 1000 * policy.delaysSeconds.reduce((sum, delay) => sum + delay, 0);
  }
}
