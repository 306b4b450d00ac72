import { type Bucket, taken } from "../../values/bucket";
import { Cache } from "../../values/cache";
import type { Signed } from "../../values/signature/verify";
import { keptRequest, requestOf } from "./request";
import type { TraceOutcome } from "./trace";

/** How many traces of one stream an isolate hands over; of the others, their number goes with the next one. */
const HANDED_OVER = { burst: 120, perMinute: 30 };
const MOST_REMEMBERED = 5_000;
const REMEMBERED_MS = 600_000;

type Pending = { bucket: Bucket | undefined; more: number };
const pending = new Cache<string, Pending>(MOST_REMEMBERED);

export type Untaken = { outcome: TraceOutcome; reason: string; isProved: boolean };

/**
 * Leaves a trace in a stream of a request that became no event of it. One that can't be written is no reason to answer
 * the sender otherwise: it is logged.
 */
export async function noteTrace(
  streams: Env["EVENT_STREAMS"],
  stream: string,
  request: Signed & { headers: Headers },
  { outcome, reason, isProved }: Untaken,
): Promise<void> {
  const now = Date.now();
  const key = `${stream} ${outcome}`;
  const { bucket, more } = pending.get(key, now) ?? { bucket: undefined, more: 0 };
  const next = taken(bucket, HANDED_OVER, now);
  const left = next === undefined ? { bucket, more: more + 1 } : { bucket: next, more: 0 };
  pending.set(key, left, now + REMEMBERED_MS);
  if (next === undefined) return;
  try {
    const kept = keptRequest.write(requestOf(request, request.headers));
    await streams
      .getByName(stream)
      .noteTrace({ at: now, outcome, reason, isProved, request: kept }, more);
  } catch (error) {
    console.error(JSON.stringify({ at: "traces", stream, error: String(error) }));
  }
}
