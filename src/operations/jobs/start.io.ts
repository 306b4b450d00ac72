import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { StreamJob } from "../../stream/jobs/job";
import { insertJob } from "../../stream/jobs/store";
import type { StreamHandle } from "../streams/lookup.io";

/**
 * Starts a job over streams and answers its id; `total` is how many notifications it will touch, null when nobody
 * knows. The job's row is written before any stream gets it. A stream that gets a job twice does it twice, to no harm:
 * a notification that is sent again has the same id.
 */
export async function startJob(
  c: Context<AskerEnv>,
  streams: readonly StreamHandle[],
  job: Omit<StreamJob, "id">,
  total: number | null,
): Promise<string> {
  const id = `job_${crypto.randomUUID()}`;
  const { asker } = c.var;
  const names = streams.map(({ name }) => name);
  await insertJob(
    c.env.DB,
    {
      id,
      organizationId: asker.organizationId,
      actor: asker.name,
      kind: job.kind,
      destinationId: job.destinationId,
      total,
    },
    names,
    Date.now(),
  );
  await Promise.all(streams.map(({ stub }) => stub.startJob({ id, ...job })));
  return id;
}
