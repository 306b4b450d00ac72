import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { DestinationRecord } from "../../delivery/destination";
import { countExceptions, troubledStreams } from "../../delivery/exceptions.store";
import { destinationState, isPaused, stateText } from "../../delivery/state";
import { isoText } from "../../values/instant";
import { startJob } from "../jobs/start.io";

/** What a recovery begins with: its job, how many notifications it delivers again; and if none, why. */
export type Recovery = { jobId: string; total: number; because: string | null };

/**
 * Delivers a destination's dead notifications since `from` again, by a job over the streams that have some. One that is
 * switched off gets none, since they would only wait again.
 */
export async function recover(
  c: Context<AskerEnv>,
  { destination }: DestinationRecord,
  from: number,
): Promise<Recovery> {
  const state = destinationState(destination);
  if (isPaused(state)) {
    const nothing = await start(c, destination.id, { kind: "recover", from, streams: [] });
    const because = `The destination is ${stateText(state)}: enabling it delivers what is held or died of that`;
    return { ...nothing, because };
  }
  const started = await startRecovery(c, destination.id, { kind: "recover", from });
  if (started.total > 0) return { ...started, because: null };
  const { organizationId } = c.var.asker;
  const counts = await countExceptions(c.env.DB, organizationId, [destination.id]);
  const older = counts.get(destination.id)?.dead ?? 0;
  const because =
    older === 0
      ? "The destination has no dead notification"
      : `The destination has ${older} dead, but none that was made since ${isoText(from)}`;
  return { ...started, because };
}

/**
 * Starts a job over every stream in which a destination has dead or held notifications, and tells its id and how many
 * it has to touch: `recover` delivers the dead ones since `from` again, `release` lets the held ones go, and those
 * that died because the destination was switched off, `end` lets those that wait die, since it is deleted.
 */
export async function startRecovery(
  c: Context<AskerEnv>,
  destinationId: string,
  { kind, from }: { kind: "recover" | "release" | "end"; from: number },
): Promise<{ jobId: string; total: number }> {
  const { organizationId } = c.var.asker;
  const streams = await troubledStreams(c.env.DB, organizationId, destinationId, { kind, from });
  return start(c, destinationId, { kind, from, streams });
}

async function start(
  c: Context<AskerEnv>,
  destinationId: string,
  job: {
    kind: "recover" | "release" | "end";
    from: number;
    streams: readonly { stream: string; n: number }[];
  },
): Promise<{ jobId: string; total: number }> {
  const { kind, from, streams } = job;
  const total = streams.reduce((sum, { n }) => sum + n, 0);
  const jobId = await startJob(
    c,
    streams.map(({ stream }) => ({ name: stream, stub: c.env.EVENT_STREAMS.getByName(stream) })),
    {
      kind,
      from,
      to: Date.now(),
      destinationId,
      objectType: null,
      eventType: null,
      fallbackId: null,
    },
    total,
  );
  return { jobId, total };
}
