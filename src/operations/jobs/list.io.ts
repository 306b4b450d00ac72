import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { listDeletedUsers, readEndUser } from "../../accounts/users/admin.store";
import type { TimePlace } from "../../http/cursor-page";
import { listJobs, readJob } from "../../stream/jobs/store";
import { reachOf } from "../reach";
import { erasedUser, erasureView, type JobView, jobView } from "./view";

/** The job with this id, as far as the asker reaches what it is about. */
export async function findJob(c: Context<AskerEnv>, id: string): Promise<JobView | undefined> {
  const { asker } = c.var;
  const { organizationId } = asker;
  const reach = reachOf(asker);
  const userId = erasedUser(id);
  if (userId === undefined) {
    const job = await readJob(c.env.DB, organizationId, id, reach);
    return job && jobView(job);
  }
  const user =
    reach === undefined ? await readEndUser(c.env.DB, organizationId, userId) : undefined;
  const deletingAt = user?.deletingAt ?? null;
  return deletingAt === null ? undefined : erasureView({ id: userId, deletingAt });
}

/** A page of the asker's jobs, the latest first. `next`: where the following page begins; null after the last. */
export async function jobsBefore(
  c: Context<AskerEnv>,
  page: { before: TimePlace | null; limit: number },
): Promise<{ jobs: JobView[]; next: TimePlace | null }> {
  const { asker } = c.var;
  const { organizationId } = asker;
  const reach = reachOf(asker);
  const { before, limit } = page;
  const user = before && { at: before.at, id: erasedUser(before.id) ?? Number.MAX_SAFE_INTEGER };
  const [stored, deleted] = await Promise.all([
    listJobs(c.env.DB, organizationId, reach, page),
    reach === undefined ? listDeletedUsers(c.env.DB, organizationId, { before: user, limit }) : [],
  ]);
  const found = [
    ...stored.map((job) => ({ at: job.createdAt, view: jobView(job) })),
    ...deleted.map((one) => ({ at: one.deletingAt, view: erasureView(one) })),
  ]
    // Of one instant, all jobs come before all erasures, as their ids do.
    .toSorted((one, other) => other.at - one.at)
    .slice(0, limit);
  const last = found.at(-1);
  const isAll = last === undefined || found.length < limit;
  return {
    jobs: found.map(({ view }) => view),
    next: isAll ? null : { at: last.at, id: last.view.id },
  };
}
