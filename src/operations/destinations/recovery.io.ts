import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { troubledStreams } from "../../delivery/exceptions.store";
import { startJob } from "../jobs.io";

/**
 * Starts a job over every stream in which a destination has dead or held notifications and answers its id:
 * `recover` delivers the dead ones since `from` again, `release` lets the held ones go.
 */
export async function startRecovery(
  c: Context<AskerEnv>,
  destinationId: string,
  { kind, from }: { kind: "recover" | "release"; from: number },
): Promise<string> {
  const streams = await troubledStreams(c.env.DB, c.var.asker.organizationId, destinationId);
  return startJob(
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
    streams.reduce((sum, { n }) => sum + n, 0),
  );
}
