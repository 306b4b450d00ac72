import type { Outcome } from "../../delivery/attempt";
import type { Answer } from "../../http/client";

/** Why a step failed for good, as its flow's owner reads it. `mostBytes`: how large an answer may be. */
export function failureText(
  { attempt, next }: Outcome,
  answer: Answer | undefined,
  mostBytes: number,
): string {
  if (next.kind === "dead" && next.reason === "too-large")
    return `The answer is larger than ${mostBytes} bytes`;
  if (answer?.kind === "answered" && answer.fault !== undefined)
    return `The answer was ${answer.status}. ${answer.fault}`;
  if (answer?.kind === "answered")
    return `The answer was ${answer.status}: ${answer.text.slice(0, 500)}`;
  return attempt?.error ?? "The step failed";
}
