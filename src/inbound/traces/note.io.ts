import type { TraceOutcome } from "../../stream/traces/trace";
import { type Bucket, taken } from "../../values/bucket";
import { Cache } from "../../values/cache";
import type { Connector } from "../../connectors/definition";
import { organizationOfConnector } from "../../connectors/store";
import type { Instance } from "../../instances/instance";
import { instanceSource, streamName } from "../../stream/stream-name";
import type { Arrived } from "../proof";
import { keptRequest, requestOf } from "./request";

/** How many traces of one stream an isolate hands over; of the others, their number goes with the next one. */
const HANDED_OVER = { burst: 120, perMinute: 30 };
const MOST_REMEMBERED = 5_000;
const REMEMBERED_MS = 600_000;

type Pending = { bucket: Bucket | undefined; more: number };
const pending = new Cache<string, Pending>(MOST_REMEMBERED);

export type Untaken = { outcome: TraceOutcome; reason: string; isProved: boolean };

/** Leaves a trace of a delivery that became no event of an instance. */
export function noteDelivery(
  { EVENT_STREAMS }: Env,
  { organizationId, id }: Instance,
  arrived: Arrived,
  untaken: Untaken,
): Promise<void> {
  const stream = streamName({ organizationId, source: instanceSource(id) });
  return noteTrace(EVENT_STREAMS, stream, arrived, untaken);
}

/** Leaves a trace of a delivery to a connector's app-wide address, for a tenant that no instance has. */
export async function noteUnrouted(
  { DB, EVENT_STREAMS }: Env,
  connector: Connector | undefined,
  arrived: Arrived,
): Promise<void> {
  if (connector === undefined) return;
  const stream = unroutedStream(await organizationOfConnector(DB, connector.id), connector);
  const reason = "no instance has its tenant";
  await noteTrace(EVENT_STREAMS, stream, arrived, { outcome: "unrouted", reason, isProved: false });
}

/** Where a connector's unrouted deliveries are kept: with the organization that made it, or nobody's (0). */
export const unroutedStream = (organizationId: number, { id }: Connector): string =>
  streamName({ organizationId, source: `inbound:${id}` });

/** A trace that can't be written is no reason to answer the vendor otherwise: it is logged. */
async function noteTrace(
  streams: Env["EVENT_STREAMS"],
  stream: string,
  arrived: Arrived,
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
    const request = keptRequest.write(requestOf(arrived, arrived.headers));
    await streams
      .getByName(stream)
      .noteTrace({ at: now, outcome, reason, isProved, request }, more);
  } catch (error) {
    console.error(JSON.stringify({ at: "inbound.trace", stream, error: String(error) }));
  }
}
