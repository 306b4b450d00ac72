import * as z from "zod";
import type { Millis } from "../values/instant";

/**
 * A vendor that gives no answer. Waiting for one takes half a minute of a place at which a hundred others would have been
 * polled, so such an instance is polled less and less often, and in the slow lane: a queue of its own, in which only those
 * wait that are like it. An answer of any kind, and a person who asks for a poll, ends that.
 */
export const unreachable = z.object({
  since: z.number(),
  because: z.string(),
  /** Polls without an answer, one after another. */
  tries: z.number(),
  /** When it is polled next, epoch ms. */
  nextAt: z.number(),
});
export type Unreachable = z.infer<typeof unreachable>;

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 1_800_000;

/** The state after one more poll without an answer: it waits twice as long, up to half an hour. @param chance 0 to 1. */
export function afterSilence(
  before: Unreachable | undefined,
  because: string,
  now: Millis,
  chance: number,
): Unreachable {
  const tries = (before?.tries ?? 0) + 1;
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS);
  const nextAt = now + Math.round(waitMs * (0.75 + 0.25 * chance));
  return { since: before?.since ?? now, because: because.slice(0, 500), tries, nextAt };
}

/** Where polls are made: one that somebody waits for has no lane. */
export type Lane = "fast" | "slow";

/** Whether a poll is made now, at a later one's time, or in the slow lane. */
export function turnOf(
  state: Unreachable | undefined,
  lane: Lane | undefined,
  now: Millis,
): "now" | "later" | "slow-lane" {
  if (state === undefined || lane === undefined) return "now";
  if (state.nextAt > now) return "later";
  return lane === "slow" ? "now" : "slow-lane";
}
