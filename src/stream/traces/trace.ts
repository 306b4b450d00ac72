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

export const storedTrace = storedJson(
  z.object({
    outcome: z.enum(TRACE_OUTCOMES),
    reason: z.string(),
    request: z.string(),
    replayedAt: z.number().nullable(),
  }),
);
export const storedCounts = storedJson(z.partialRecord(z.enum(TRACE_OUTCOMES), z.number()));
