import * as z from "zod";
import type { Millis } from "../values/instant";
import { storedJson } from "../values/stored-json";

/** A destination's circuit breaker. `closed` serves, `open` waits, `half-open` lets one probe through. */
const circuit = z.object({
  state: z.enum(["closed", "open", "half-open"]),
  /** Failures in a row. */
  failures: z.number(),
  /** Calls and failures in the current window. */
  window: z.object({ startedAt: z.number(), calls: z.number(), failed: z.number() }),
  openedAt: z.number().nullable(),
  nextProbeAt: z.number().nullable(),
  /** How often it opened without a success in between: each time it stays open longer. */
  reopened: z.number(),
});
export type Circuit = z.infer<typeof circuit>;
export const storedCircuit = storedJson(circuit);

export const CLOSED: Circuit = {
  state: "closed",
  failures: 0,
  window: { startedAt: 0, calls: 0, failed: 0 },
  openedAt: null,
  nextProbeAt: null,
  reopened: 0,
};

const FAILURES_IN_A_ROW = 10;
const WINDOW_MS = 300_000;
const LEAST_CALLS = 20;
const FAILED_RATIO = 0.7;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 900_000;
/** A probe that nobody reports on is taken for lost after this long. */
export const PROBE_LOST_MS = 60_000;

/** Whether a try says that the destination, not the message, is at fault. */
export function isDestinationFault(status: number | null): boolean {
  if (status === null) return true;
  if (status >= 200 && status < 300) return false;
  return ![400, 409, 410, 413, 415, 422].includes(status);
}

/** How many of `wanted` calls may be made now: all, none, or one as a probe. */
export function admitted(
  circuit: Circuit,
  wanted: number,
  now: Millis,
): { circuit: Circuit; admitted: number } {
  if (circuit.state === "closed") return { circuit, admitted: wanted };
  if (wanted === 0 || circuit.nextProbeAt === null || circuit.nextProbeAt > now)
    return { circuit, admitted: 0 };
  return {
    circuit: { ...circuit, state: "half-open", nextProbeAt: now + PROBE_LOST_MS },
    admitted: 1,
  };
}

/** The circuit after one call. `chance` in [0, 1) spreads the probes of many circuits. */
export function afterCall(circuit: Circuit, failed: boolean, now: Millis, chance: number): Circuit {
  if (!failed) {
    const window = counted(circuit, false, now);
    return circuit.state === "closed"
      ? { ...circuit, failures: 0, window }
      : { ...CLOSED, window: { startedAt: now, calls: 1, failed: 0 } };
  }
  const window = counted(circuit, true, now);
  const failures = circuit.failures + 1;
  const opens =
    circuit.state === "half-open" ||
    failures >= FAILURES_IN_A_ROW ||
    (window.calls >= LEAST_CALLS && window.failed >= window.calls * FAILED_RATIO);
  if (circuit.state === "open" || !opens) return { ...circuit, failures, window };
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** circuit.reopened, LONGEST_PAUSE_MS);
  return {
    state: "open",
    failures,
    window,
    openedAt: circuit.openedAt ?? now,
    nextProbeAt: Math.round(now + pause * (0.8 + 0.4 * chance)),
    reopened: circuit.reopened + 1,
  };
}

function counted({ window }: Circuit, failed: boolean, now: Millis): Circuit["window"] {
  const current =
    now - window.startedAt > WINDOW_MS ? { startedAt: now, calls: 0, failed: 0 } : window;
  return { ...current, calls: current.calls + 1, failed: current.failed + (failed ? 1 : 0) };
}
