import { readRetention } from "../accounts/organization.store";
import { count, watchCounts } from "../metering/counter.io";
import type { Commit, Committed } from "./event";
import { streamName, type StreamName } from "./stream-name";

export type CommitDoors = { db: D1Database; streams: Env["EVENT_STREAMS"] };

/** What a source has decided: events addressed to those who hear of them, and what else moves with them. */
export type Decided = StreamName & {
  commit: Omit<Commit, "retentionMs">;
  /** How long the stream keeps events: as the organization says, or so many milliseconds; absent: as before. */
  keptFor?: "organization" | number;
};

/** Queues bill a message three times: when it is written, read and acknowledged. */
const OPERATIONS_A_MESSAGE = 3;

/**
 * Commits to a source's stream, and counts events, rows, requests and messages under the source. The sources' events come
 * through `subscriptions/ingest.io.ts`, which asks who hears of them; whoever is addressed already comes here at once.
 * @returns `stale` only to a source that named the version or the lease that its commit relies on.
 * @throws what the stream throws: then it is not certain that anything was kept.
 */
export async function commitCounted(
  { db, streams }: CommitDoors,
  { organizationId, source, commit, keptFor }: Decided,
): Promise<Committed> {
  const retentionMs =
    keptFor === "organization" ? await readRetention(db, organizationId) : keptFor;
  const committed = await streams
    .getByName(streamName({ organizationId, source }))
    .commit({ ...commit, ...(retentionMs === undefined ? {} : { retentionMs }) });
  const key = { organizationId, source, destinationId: "" };
  const now = Date.now();
  if (committed.kind === "stale") {
    count(key, { objectRequests: 1 }, now);
    watchCounts(db);
    if (commit.expect === undefined && commit.lease === undefined)
      throw new Error("A commit that relies on no version is never stale");
    return committed;
  }
  const { accepted, rowsWritten, alarms = 0, messages } = committed;
  const queueOperations = OPERATIONS_A_MESSAGE * messages;
  count(
    key,
    { events: accepted.length, rowsWritten, objectRequests: 1 + alarms, queueOperations },
    now,
  );
  // Another isolate may deliver what came in here, so this one writes down its counts itself.
  watchCounts(db);
  return committed;
}
