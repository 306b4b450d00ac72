import { eventId } from "../../stream/event-id";
import { snapshotKey } from "../../instances/deletions";
import type { Happened } from "../../stream/event";
import { withLives } from "../lives.io";
import type { PolledResource } from "../polled-resource";
import { positionOf } from "../cursor";
import type { ResourceReport } from "../report";
import { underLease, commitPage, cursorOf, type PollState } from "../commit.io";
import { statePages } from "../state-pages.io";
import { listRecorded } from "./list-all.io";
import { diffSnapshot, isSnapshotDue, type SnapshotRule } from "./diff";

/**
 * Deletions by comparison, for vendors that don't report them. The ids of all records are kept in the stream's state; a
 * snapshot reads the whole list again, and an id that is no longer in it was deleted. First run: all ids are recorded,
 * nothing is emitted.
 */

/** Takes a snapshot of a resource that is configured for it, when one is due. */
export async function pollSnapshot(
  poll: PollState,
  resource: PolledResource,
  report: ResourceReport,
): Promise<void> {
  const { deletion, resource: name } = resource;
  const { snapshotAt } = positionOf(poll.cursor, name);
  if (deletion?.strategy !== "snapshot" || !isSnapshotDue(deletion, snapshotAt, Date.now())) return;
  await takeSnapshot(poll, resource, deletion, report);
}

/** Takes a snapshot now. @returns whether it was complete and plausible; if not, the report says why. */
export async function takeSnapshot(
  poll: PollState,
  resource: PolledResource,
  deletion: SnapshotRule,
  report: ResourceReport,
): Promise<boolean> {
  const { resource: name } = resource;
  const takenAt = Date.now();
  const recorded = await recordedIds(poll, name);
  const listed = await listRecorded(poll, resource, recorded);
  if (!listed.ok) {
    report.error = `Snapshot: ${listed.message}`;
    return false;
  }
  const diff = diffSnapshot(recorded, listed.present, deletion);
  if (diff.kind === "refused") {
    report.error = `Snapshot: ${diff.message}`;
    const instanceId = poll.instance.id;
    const { message: error } = diff;
    console.warn(JSON.stringify({ at: "snapshot.refused", instanceId, resource: name, error }));
    return false;
  }
  const appeared = diff.appeared.filter((id) => listed.alive.has(id));
  const { back } = listed;
  await commitSnapshot(poll, name, { ...diff, appeared, back }, takenAt, report);
  return true;
}

/** `back`: records whose deletion was told, and that no poll has told of since, as JSON. */
type Seen = {
  appeared: readonly string[];
  vanished: readonly string[];
  back: ReadonlyMap<string, string>;
};

async function commitSnapshot(
  poll: PollState,
  name: string,
  { appeared, vanished, back }: Seen,
  takenAt: number,
  report: ResourceReport,
): Promise<void> {
  const { cursor } = poll;
  const position = { ...positionOf(cursor, name), snapshotAt: takenAt };
  poll.cursor = { ...cursor, resources: { ...cursor.resources, [name]: position } };
  const event = (objectId: string, eventType: string, data: string): Happened => ({
    id: eventId(poll.source, name, objectId, `snapshot:${takenAt}`),
    objectType: name,
    objectId,
    eventType,
    date: takenAt,
    data,
  });
  const lives = await withLives(poll, name, [
    ...vanished.map((id) => event(id, "DELETED", JSON.stringify({ id }))),
    ...[...back].map(([id, data]) => event(id, "CREATED", data)),
  ]);
  await commitPage(
    poll,
    {
      ...underLease(poll),
      ...cursorOf(poll),
      events: lives.events,
      pollDate: takenAt,
      state: [...appeared.map((id) => ({ key: snapshotKey(name, id), value: "" })), ...lives.state],
    },
    report,
  );
}

async function recordedIds({ stream }: PollState, name: string): Promise<Set<string>> {
  const prefix = snapshotKey(name, "");
  const ids = new Set<string>();
  for await (const page of statePages(stream, prefix))
    for (const { key } of page) ids.add(key.slice(prefix.length));
  return ids;
}
