import { eventId } from "../../stream/event-id";
import { listRecords } from "../../hub/records.client";
import { readId } from "../classify";
import type { PolledResource } from "../polled-resource";
import { positionOf } from "../cursor";
import { parseHubUrl } from "../hub-url";
import type { ResourceReport } from "../report";
import { base, commitPage, cursorOf, type PollState, targetOf } from "../commit.io";
import { diffSnapshot, isSnapshotDue, snapshotKey, type SnapshotRule } from "./diff";

/** A scan of more pages than this is not complete, and tells nothing. */
const MOST_PAGES = 1_000;
const STATE_PAGE = 1_000;

/** Takes a snapshot of a resource when one is due: what is no longer there is DELETED. */
export async function pollSnapshot(
  poll: PollState,
  resource: PolledResource,
  report: ResourceReport,
): Promise<void> {
  const { deletion, resource: name } = resource;
  const now = Date.now();
  const { snapshotAt } = positionOf(poll.cursor, name);
  if (deletion?.strategy !== "snapshot" || !isSnapshotDue(deletion, snapshotAt, now)) return;
  await takeSnapshot(poll, resource, deletion, report);
}

/** Compares all ids with those known, whether a snapshot is due or not. @returns whether it went well. */
export async function takeSnapshot(
  poll: PollState,
  resource: PolledResource,
  deletion: SnapshotRule,
  report: ResourceReport,
): Promise<boolean> {
  const { resource: name } = resource;
  const now = Date.now();
  const position = positionOf(poll.cursor, name);
  const present = await scanIds(poll, resource);
  if (!present.ok) {
    report.error = `Snapshot: ${present.message}`;
    return false;
  }
  const prefix = snapshotKey(name, "");
  const known = await knownIds(poll, prefix);
  const diff = diffSnapshot(known, present.ids, deletion);
  if (diff.kind === "refused") {
    report.error = `Snapshot: ${diff.message}`;
    console.warn(
      JSON.stringify({
        at: "snapshot.refused",
        instanceId: poll.instance.id,
        resource: name,
        error: diff.message,
      }),
    );
    return false;
  }
  const { cursor } = poll;
  const resources = { ...cursor.resources, [name]: { ...position, snapshotAt: now } };
  poll.cursor = { ...cursor, resources };
  await commitPage(
    poll,
    {
      ...base(poll),
      ...cursorOf(poll),
      events: diff.vanished.map((id) => ({
        id: eventId(poll.source, name, id, `snapshot:${now}`),
        objectType: name,
        objectId: id,
        eventType: "DELETED",
        date: now,
        data: JSON.stringify({ id }),
        to: [0],
      })),
      targets: [targetOf(poll.instance, name, now)],
      state: [
        ...diff.appeared.map((id) => ({ key: `${prefix}${id}`, value: "" })),
        ...diff.vanished.map((id) => ({ key: `${prefix}${id}`, value: null })),
      ],
    },
    report,
  );
  return true;
}

type Scanned = { ok: true; ids: Set<string> } | { ok: false; message: string };

/** The ids of the whole list, without the condition that polls ask with; all pages or nothing. */
async function scanIds(poll: PollState, { url, idField }: PolledResource): Promise<Scanned> {
  const hub = parseHubUrl(url.split("?")[0] ?? url);
  if (!hub.ok) return hub;
  const { resource } = hub.request;
  const { deleted, maxPageSize = 100 } = poll.instance.connector.resources[resource] ?? {};
  const ids = new Set<string>();
  let position: Parameters<typeof listRecords>[2]["position"];
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = { pageSize: maxPageSize, ...(position === undefined ? {} : { position }) };
    const page = await listRecords(poll.instance, resource, query, poll.doors);
    if (page.kind !== "page") return { ok: false, message: page.message };
    for (const record of page.records) {
      const id = readId(record, idField);
      const isDeleted = deleted !== undefined && isEqual(record, deleted);
      if (id !== undefined && !isDeleted) ids.add(id);
    }
    if (page.next === null) return { ok: true, ids };
    position = page.next;
  }
  return { ok: false, message: `More than ${MOST_PAGES} pages` };
}

function isEqual(record: unknown, { field, equals }: { field: string; equals?: unknown }): boolean {
  return typeof record === "object" && record !== null && Reflect.get(record, field) === equals;
}

async function knownIds(poll: PollState, prefix: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let last = ""; ;) {
    const page = await poll.stream.readStatePage(prefix, last, STATE_PAGE);
    for (const { key } of page) ids.add(key.slice(prefix.length));
    if (page.length < STATE_PAGE) return ids;
    last = page.at(-1)?.key ?? "";
  }
}
