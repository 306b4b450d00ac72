import * as z from "zod";
import { parse } from "../../http/body";
import { traceView } from "./request";
import { TRACE_OUTCOMES, type Traces } from "./trace";

const MOST_SHOWN = 50;
const outcomeQuery = z.enum(TRACE_OUTCOMES).optional();

/** The query of a list of traces. */
export const OUTCOME = { outcome: `only these: ${TRACE_OUTCOMES.join(", ")}` };

type View = ReturnType<typeof traceView>;

/** The newest traces of an outcome, or of all; how many came of each. @throws Refusal for an outcome that is none. */
export function shown(
  { counts, kept }: Traces,
  asked: string | undefined,
): { counts: Record<string, number>; items: View[]; next: null } {
  const outcome = parse(outcomeQuery, asked, "outcome");
  const items = kept
    .filter((one) => outcome === undefined || one.outcome === outcome)
    .slice(0, MOST_SHOWN)
    .map(traceView);
  const none = Object.fromEntries(TRACE_OUTCOMES.map((name) => [name, 0]));
  return { counts: { ...none, ...counts }, items, next: null };
}

/** An example of such a list, with one trace. */
export function answerOf({
  outcome,
  request,
  ...others
}: Pick<View, "outcome" | "reason" | "replayable"> & {
  request: Pick<View["request"], "method" | "url" | "headers" | "body">;
}): unknown {
  const at = { id: "1", at: "2026-11-21T20:00:00.000Z" };
  const encoding = { bodyEncoding: "text", bytes: request.body.length };
  return {
    counts: { "no-event": 0, ignored: 0, refused: 0, unrouted: 0, [outcome]: 1 },
    items: [{ ...at, outcome, ...others, replayedAt: null, request: { ...request, ...encoding } }],
    next: null,
  };
}
