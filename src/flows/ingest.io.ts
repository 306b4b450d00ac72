import { readRetention } from "../accounts/organization.store";
import { count, watchCounts } from "../metering/counter.io";
import type { Commit, Committed, NewEvent } from "../stream/event";
import { streamName, type StreamName } from "../stream/stream-name";
import { withOthers, withRuns } from "./targets";
import type { Trigger } from "./triggers/trigger";
import { matchesEvent } from "./triggers/match";
import { readSourceTriggers, type Source } from "./triggers/store";

export type IngestDoors = { db: D1Database; streams: Env["EVENT_STREAMS"] };

/** What a source has decided: its events with their targets, and what else moves with them. */
export type Intake = StreamName & {
  commit: Omit<Commit, "retentionMs">;
  /** How long the stream keeps events: as the organization says, or so many milliseconds; absent: as before. */
  keptFor?: "organization" | number;
  /** Flows that the events may start; absent: the commit's targets name all steps themselves. */
  flows?: Listeners;
};

/** The triggers that may be started: read already, or to be read if there are events; and by which events. */
export type Listeners = (
  | { triggers: readonly Trigger[] }
  | { source: Source }
  | { read: ReadTriggers }
) & {
  listens: (trigger: Trigger, event: NewEvent) => boolean;
};

export type ReadTriggers = () => Promise<readonly Trigger[]>;

/**
 * The flows of an instance's user that listen to the instance's events. `read` gives the triggers of it, and maybe of
 * others.
 */
export function listenersOf({ id, organizationId, userId }: Owned, read?: ReadTriggers): Listeners {
  const key = String(id);
  return {
    ...(read === undefined
      ? { source: { organizationId, kind: "instance", keys: [key] } }
      : { read }),
    listens: (trigger, event) =>
      trigger.userId === userId && trigger.key === key && matchesEvent(trigger, event),
  };
}

type Owned = { id: number; organizationId: number; userId: number };

/** Queues bill a message three times: when it is written, read and acknowledged. */
const OPERATIONS_A_MESSAGE = 3;

/**
 * The one way from "decided" to "committed and counted", for every source: adds the runs of the flows that
 * listen, commits to the source's stream, and counts events, rows, requests and messages under the source.
 * @returns `stale` only to a source that named the version or the lease that its commit relies on.
 * @throws what the stream throws: then it is not certain that anything was kept.
 */
export async function ingest(
  { db, streams }: IngestDoors,
  { organizationId, source, commit: decided, keptFor, flows }: Intake,
): Promise<Committed> {
  const commit = withOthers(decided);
  const retentionMs =
    keptFor === "organization" ? await readRetention(db, organizationId) : keptFor;
  const committed = await streams.getByName(streamName({ organizationId, source })).commit({
    ...commit,
    ...(flows === undefined ? {} : await withStartedFlows(db, commit, flows)),
    ...(retentionMs === undefined ? {} : { retentionMs }),
  });
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

/** The commit's events and targets, with a run for every event and every flow that listens to it. */
async function withStartedFlows(
  db: D1Database,
  commit: Pick<Commit, "events" | "targets">,
  flows: Listeners,
): Promise<Pick<Commit, "events" | "targets">> {
  if (commit.events.length === 0) return commit;
  return withRuns(commit, await triggersOf(db, flows), flows.listens);
}

async function triggersOf(db: D1Database, flows: Listeners): Promise<readonly Trigger[]> {
  if ("triggers" in flows) return flows.triggers;
  return "read" in flows ? flows.read() : readSourceTriggers(db, flows.source);
}
