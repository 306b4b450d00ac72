import * as z from "zod";
import { storedJson } from "../../values/stored-json";
import type { Millis } from "../../values/instant";

/** Why something that came for a source became no event. */
export const TRACE_OUTCOMES = ["no-event", "ignored", "refused", "unrouted"] as const;
export type TraceOutcome = (typeof TRACE_OUTCOMES)[number];

export type Trace = {
  at: Millis;
  outcome: TraceOutcome;
  reason: string;
  /** Whether its sender was proved. Others can't push out what the proved ones left. */
  isProved: boolean;
  /** What came: text that only the source reads. */
  request: string;
};
export type KeptTrace = Trace & { id: number; replayedAt: Millis | null };

/** How many came of each outcome, and the latest of them, newest first. */
export type Traces = { counts: Partial<Record<TraceOutcome, number>>; kept: KeptTrace[] };

/** Deliveries of a day that became no event for the same reason: when the first and the last of those kept came. */
export type Untaken = {
  outcome: TraceOutcome;
  reason: string;
  count: number;
  first: Millis;
  last: Millis;
};

/** What was kept since an instant and not taken when it was replayed, by outcome and reason, the latest first. */
export function untakenSince(kept: readonly KeptTrace[], since: Millis): Untaken[] {
  const recent = kept.filter(({ at, replayedAt }) => at >= since && replayedAt === null);
  const groups = Map.groupBy(recent, ({ outcome, reason }) => JSON.stringify([outcome, reason]));
  return [...groups.values()].flatMap((group): Untaken[] => {
    const [one] = group;
    if (one === undefined) return [];
    const { outcome, reason } = one;
    const times = group.map(({ at }) => at);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    return [{ outcome, reason, count: group.length, first, last }];
  });
}

export const storedTrace = storedJson(
  z.object({
    outcome: z.enum(TRACE_OUTCOMES),
    reason: z.string(),
    request: z.string(),
    replayedAt: z.number().nullable(),
  }),
);
export const storedCounts = storedJson(z.partialRecord(z.enum(TRACE_OUTCOMES), z.number()));
