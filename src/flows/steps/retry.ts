import type { Attempt, Next } from "../../delivery/attempt";
import type { Component } from "../descriptor";
import type { Millis } from "../../values/instant";

/** 60 s, doubling, up to an hour (reference app-events-api.md §9). */
const FIRST_DELAY_MS = 60_000;
const LONGEST_DELAY_MS = 3_600_000;
const LONGEST_RETRY_AFTER_MS = 86_400_000;

/** What follows one try of a step. `tries` counts this one; `chance` in [0, 1) delays a retry by up to a tenth. */
export function stepNext(
  attempt: Pick<Attempt, "status">,
  context: {
    errorHandling: Component["errorHandling"];
    tries: number;
    retryAfter: Millis | undefined;
    now: Millis;
    chance: number;
  },
): Next {
  const { errorHandling, tries, retryAfter, now, chance } = context;
  const { status } = attempt;
  if (isSuccess(status)) return { kind: "delivered", at: now };
  const exhausted: Next = { kind: "dead", at: now, reason: "exhausted" };
  if (status !== null && !isRetried(status)) return exhausted;
  if (!errorHandling.autoRetry || tries > errorHandling.maxRetries) return exhausted;
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (tries - 1), LONGEST_DELAY_MS);
  const byBackoff = now + delay * (1 + 0.1 * chance);
  const byReceiver = Math.min(retryAfter ?? 0, now + LONGEST_RETRY_AFTER_MS);
  return { kind: "retrying", at: Math.round(Math.max(byBackoff, byReceiver)) };
}

/**
 * The status that decides about a step whose answer's body cannot be read to its end. A 2xx counts as no answer (null) if
 * steps below read that body, like every broken connection (reference app-events-api.md §9); otherwise it stands.
 */
export function statusWithoutBody(status: number | null, isRead: boolean): number | null {
  return isRead && isSuccess(status) ? null : status;
}

function isSuccess(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300;
}

/** 408, 429 and every 5xx: any other answer would be the same again. */
function isRetried(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * Whether a step belongs to a run of an earlier start: its flow was stopped and started again since the run began.
 * Such a run ends where it is, except for a step that somebody sends again by hand. Sending again starts `tries`
 * anew but not `n`, the number of the try: so it shows.
 */
export function isLeftBehind(
  run: { startedAt: Millis },
  flow: { started: Millis | null },
  { n, tries }: { n: number; tries: number },
): boolean {
  const isSentAgain = n > tries + 1;
  return run.startedAt < (flow.started ?? 0) && !isSentAgain;
}
