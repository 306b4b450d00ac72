import type { DestinationPolicy } from "../db/delivery";
import type { Millis } from "../values/instant";

/**
 * How long calls may take, and what that means for those who wait for them: the consumer that makes them, the queue behind
 * it, and the stream that would send their notifications again.
 */

/** A receiver has this long to answer, unless its destination says otherwise. */
export const TIMEOUT_MS = 15_000;
/** No destination says more than this, nor may a flow's step take longer. */
export const LONGEST_CALL_MS = 30_000;
/** A call ends this long before its lease, so that its outcome can still be settled. */
export const SETTLE_MS = 3_000;
/** A call waits this long for its turn at most: a rate's starts lie up to two seconds ahead. */
const TURN_MS = 4_000;
/** How long calls run on in the background: the platform ends an invocation 30 s after it returned. */
const RUN_ON_MS = 28_000;
/** The queue hands over its next batch when a consumer returns: so long it waits for its calls. */
export const PATIENCE_MS = 1_000;
/** The same for steps of flows, which get along with the time that is left. */
export const STEPS_PATIENCE_MS = 6_000;
/** With less time than this under its lease, a message is late: its call has to wait for its turn, and to be settled. */
export const LEAST_LEASE_MS = LONGEST_CALL_MS + TURN_MS + SETTLE_MS;

/** How long a destination's call may take. */
export const callMs = (policy: DestinationPolicy | undefined): number =>
  policy?.timeoutMs ?? TIMEOUT_MS;

/** How long a consumer waits for a call of so long: a call of more than 22 s could not end in the background alone. */
export const patienceMs = (ms: number): number =>
  Math.max(PATIENCE_MS, ms + TURN_MS + SETTLE_MS - RUN_ON_MS);

/** When the calls of a consumer with this patience have ended, and are settled. */
export const endOfCalls = (begunAt: Millis, patience: number): Millis =>
  begunAt + patience + RUN_ON_MS;
