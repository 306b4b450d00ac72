import type { Connector } from "../../connectors/definition";
import { organizationOfConnector } from "../../connectors/store";
import type { Instance } from "../../instances/instance";
import { instanceSource, streamName } from "../../stream/stream-name";
import { noteTrace, type Untaken } from "../../stream/traces/note.io";
import type { Arrived } from "../proof";

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
