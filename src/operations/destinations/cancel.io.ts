import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { notedStreams } from "../../db/objects";
import type { Destination, DestinationRecord } from "../../delivery/destination";
import { endpointName } from "../../delivery/endpoint-name";
import { troubledStreams } from "../../delivery/exceptions.store";
import { instanceSource, streamName } from "../../stream/stream-name";
import { startJob } from "../jobs/start.io";

/** Streams of scopes that are looked through for what waits for a webhook. */
const MOST_SCOPES = 200;

/**
 * Ends what waits for a destination and was made since `from`, by a job of which it tells the id: in the streams that it
 * belongs to, and in those where something of it failed, is held, or waits for its circuit.
 */
export async function cancelWaiting(
  c: Context<AskerEnv>,
  { destination }: DestinationRecord,
  from: number,
): Promise<string> {
  const { organizationId, id } = destination;
  const [own, parked, troubled] = await Promise.all([
    ownStreams(c.env.DB, destination),
    parkedStreams(c.env.ENDPOINTS, destination),
    troubledStreams(c.env.DB, organizationId, id, { kind: "cancel", from }),
  ]);
  const names = new Set([...own, ...parked, ...troubled.map(({ stream }) => stream)]);
  const streams = [...names].map((name) => ({ name, stub: c.env.EVENT_STREAMS.getByName(name) }));
  const job = {
    kind: "cancel",
    from,
    to: Date.now(),
    destinationId: id,
    objectType: null,
    eventType: null,
    fallbackId: null,
  } as const;
  return startJob(c, streams, job, null);
}

/** The streams that send to a destination, as far as it tells. A flow's steps run wherever it was triggered. */
async function ownStreams(
  db: D1Database,
  { kind, ownerId, organizationId, tenant }: Destination,
): Promise<string[]> {
  const named = (source: string): string[] => [streamName({ organizationId, source })];
  switch (kind) {
    case "instance":
      return named(instanceSource(Number(ownerId)));
    case "subscription":
      return named("notifications");
    case "operations":
      return named("operations");
    case "endpoint":
      return named(`tenant:${tenant ?? "-"}`);
    case "webhook":
      return notedStreams(db, organizationId, "scope:", MOST_SCOPES);
    case "flow-step":
      return [];
  }
}

/** The streams that wait for its circuit to close. */
async function parkedStreams(
  endpoints: Env["ENDPOINTS"],
  { organizationId, url, id }: Destination,
): Promise<string[]> {
  if (url === null || !URL.canParse(url)) return [];
  return endpoints.getByName(endpointName(organizationId, url)).parkedStreams(id);
}
