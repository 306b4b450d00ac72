import type { Config } from "../../config";
import type { Answer } from "../../http/client";
import type { Outcome } from "../attempt";
import { parseRetryAfter } from "../backoff";
import { send } from "../client";
import type { Destination } from "../destination";
import type { Handler, Sending } from "../handler";

/** A try with less time than this left under its lease is left to the next one. */
const LEAST_MS = 5_000;
/** What could not be made or handed on is tried again after this. */
const TROUBLE_PAUSE_MS = 5_000;

/**
 * One notification whose request is made by the room it belongs to. What it means is told before it is
 * settled: when that fails, the notification stays as it was and comes again.
 */
export async function viaHandler(
  handler: Handler,
  destination: Destination,
  item: Sending,
  config: Config,
  leaseUntil: number,
): Promise<Outcome | undefined> {
  const { seq, n } = item;
  const now = Date.now();
  try {
    const rendered = await handler.render(destination, item);
    if (rendered.kind === "settled") {
      const attempt = {
        n,
        at: now,
        status: null,
        durationMs: 0,
        error: rendered.error,
        responseHeaders: {},
        responseBody: "",
        truncated: false,
      };
      const outcome: Outcome = { seq, n, attempt, next: rendered.next };
      await handler.settled(destination, item, outcome, undefined);
      return outcome;
    }
    const timeoutMs = Math.min(rendered.timeoutMs, leaseUntil - now - 3_000);
    if (timeoutMs < LEAST_MS) return undefined;
    const { attempt, answer, refused } = await send(
      destination,
      item,
      { ...rendered, timeoutMs },
      config.egress,
      now,
    );
    const after = now + attempt.durationMs;
    const next: Outcome["next"] = refused
      ? { kind: "dead", at: after, reason: "refused" }
      : rendered.judge(verdictOf(attempt.status, answer), {
          now: after,
          chance: Math.random(),
          retryAfter: parseRetryAfter(attempt.responseHeaders["retry-after"] ?? null, after),
        });
    const outcome: Outcome = { seq, n, attempt, next };
    await handler.settled(destination, item, outcome, answer);
    return outcome;
  } catch (error) {
    console.error(
      JSON.stringify({ at: "deliveries", stream: item.stream, seq, error: String(error) }),
    );
    return { seq, n, next: { kind: "retrying", at: Date.now() + TROUBLE_PAUSE_MS } };
  }
}

function verdictOf(
  status: number | null,
  answer: Answer,
): { status: number | null; truncated: boolean } {
  return { status, truncated: answer.kind === "answered" && answer.truncated };
}
