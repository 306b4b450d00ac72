import { eventId } from "../../stream/event-id";
import { listRecords } from "../../hub/records.client";
import { readId } from "../classify";
import type { PolledResource } from "../polled-resource";
import { positionOf } from "../cursor";
import { parseHubUrl } from "../hub-url";
import { isDeleted } from "../records";
import type { ResourceReport } from "../report";
import { failureText } from "../vendor-refusal";
import { underLease, commitPage, cursorOf, type PollState, targetOf } from "../commit.io";
import { statePages } from "../state-pages.io";
import { diffSnapshot, isSnapshotDue, snapshotKey, type SnapshotRule } from "./diff";

/**
 * Deletions by comparison, for vendors that don't report them. The ids of all records are kept in the stream's state; a
 * snapshot reads the whole list again, and an id that is no longer in it was deleted. First run: all ids are recorded,
 * nothing is emitted.
 */

/** A list of more pages than this is taken for incomplete, and nothing is concluded from it. */
const MOST_PAGES = 1_000;

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
  const present = await listIds(poll, resource);
  if (!present.ok) {
    report.error = `Snapshot: ${present.message}`;
    return false;
  }
  const diff = diffSnapshot(await recordedIds(poll, name), present.ids, deletion);
  if (diff.kind === "refused") {
    report.error = `Snapshot: ${diff.message}`;
    const instanceId = poll.instance.id;
    const { message: error } = diff;
    console.warn(JSON.stringify({ at: "snapshot.refused", instanceId, resource: name, error }));
    return false;
  }
  await commitSnapshot(poll, name, diff, takenAt, report);
  return true;
}

async function commitSnapshot(
  poll: PollState,
  name: string,
  { appeared, vanished }: { appeared: readonly string[]; vanished: readonly string[] },
  takenAt: number,
  report: ResourceReport,
): Promise<void> {
  const { cursor } = poll;
  const position = { ...positionOf(cursor, name), snapshotAt: takenAt };
  poll.cursor = { ...cursor, resources: { ...cursor.resources, [name]: position } };
  await commitPage(
    poll,
    {
      ...underLease(poll),
      ...cursorOf(poll),
      events: vanished.map((id) => ({
        id: eventId(poll.source, name, id, `snapshot:${takenAt}`),
        objectType: name,
        objectId: id,
        eventType: "DELETED",
        date: takenAt,
        data: JSON.stringify({ id }),
        to: [0],
      })),
      targets: [targetOf(poll.instance, name, takenAt)],
      state: [
        ...appeared.map((id) => ({ key: snapshotKey(name, id), value: "" })),
        ...vanished.map((id) => ({ key: snapshotKey(name, id), value: null })),
      ],
    },
    report,
  );
}

type ListedIds = { ok: true; ids: Set<string> } | { ok: false; message: string };

/** The ids of the whole list, without the conditions of the poll's URL. All pages, or none. */
async function listIds(poll: PollState, { url, idField }: PolledResource): Promise<ListedIds> {
  const hub = parseHubUrl(url.split("?")[0] ?? url);
  if (!hub.ok) return hub;
  const { resource } = hub.request;
  const { deleted, maxPageSize = 100 } = poll.instance.connector.resources[resource] ?? {};
  const ids = new Set<string>();
  let position: Parameters<typeof listRecords>[2]["position"];
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = { pageSize: maxPageSize, ...(position === undefined ? {} : { position }) };
    const page = await listRecords(poll.instance, resource, query, poll.doors);
    if (page.kind !== "page") return { ok: false, message: failureText(page) };
    if (page.silent === true) return { ok: false, message: "A page of the list had no content" };
    for (const record of page.records) {
      const id = readId(record, idField);
      if (id !== undefined && !isDeleted(record, deleted)) ids.add(id);
    }
    if (page.next === null) return { ok: true, ids };
    position = page.next;
  }
  return { ok: false, message: `More than ${MOST_PAGES} pages` };
}

async function recordedIds({ stream }: PollState, name: string): Promise<Set<string>> {
  const prefix = snapshotKey(name, "");
  const ids = new Set<string>();
  for await (const page of statePages(stream, prefix))
    for (const { key } of page) ids.add(key.slice(prefix.length));
  return ids;
}
