import type { DeletedUser } from "../../accounts/users/admin.store";
import type { StoredJob } from "../../stream/jobs/store";
import { parseStreamName } from "../../stream/stream-name";
import { isoText } from "../../values/instant";
import { numericId } from "../../values/whole-number";

const ERASURE = "erasure_";

/** A job as callers see it: over one stream or many, or the erasure of a user of an app. */
export type JobView = {
  id: string;
  kind: string;
  status: "running" | "done" | "failed";
  /** Null: it isn't counted. */
  processed: number | null;
  /** Null: nobody knows. */
  total: number | null;
  error: string | null;
  /** The one source that it is about; null: it is about many. */
  source: string | null;
  destinationId: string | null;
  createdAt: string;
  /** As the audit log calls them; null: that alone knows. */
  createdBy: string | null;
};

export function jobView(job: StoredJob): JobView {
  const { id, kind, isDone, processed, total, error, stream, destinationId } = job;
  return {
    id,
    kind,
    status: error !== null ? "failed" : isDone ? "done" : "running",
    processed,
    total,
    error,
    source: stream === null ? null : parseStreamName(stream).source,
    destinationId,
    createdAt: isoText(job.createdAt),
    createdBy: job.actor,
  };
}

/** The user whose erasure has this id; undefined: it is no erasure's. */
export const erasedUser = (id: string): number | undefined =>
  id.startsWith(ERASURE) ? numericId(id.slice(ERASURE.length)) : undefined;

/** A user who is being deleted, with all that is theirs: how far that is isn't written down anywhere. */
export const erasureView = ({ id, deletingAt }: DeletedUser): JobView => ({
  id: `${ERASURE}${id}`,
  kind: "erasure",
  status: "running",
  processed: null,
  total: null,
  error: null,
  source: `user:${id}`,
  destinationId: null,
  createdAt: isoText(deletingAt),
  createdBy: null,
});
