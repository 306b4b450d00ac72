import type { Deletions } from "../../connectors/definition";
import type { NewEvent } from "../../stream/event";
import { callVendor } from "../../hub/records.client";
import { findResource } from "../../hub/request";
import type { PolledResource } from "../polled-resource";
import { positionOf } from "../cursor";
import { parseHubUrl } from "../hub-url";
import type { ResourceReport } from "../report";
import { base, commitPage, cursorOf, type PollState, targetOf, wantedBy } from "../commit.io";
import { takeSnapshot } from "../snapshot/take-snapshot.io";
import { snapshotKey, type SnapshotRule } from "../snapshot/diff";
import { readDeletions } from "./read-deletions";

/** A list of more pages than this is not read to its end, and tells nothing. */
const MOST_PAGES = 1_000;
/** Vendors want the ends of a window further apart than a minute. */
const LEAST_WINDOW_MS = 61_000;
/** A deletion may be listed this much later than it is dated. */
const OVERLAP_MS = 600_000;

/** Reads the vendor's list of deletions of a resource, when that is asked for and due. */
export async function pollDeletions(
  poll: PollState,
  resource: PolledResource,
  report: ResourceReport,
): Promise<void> {
  const { deletion, resource: name } = resource;
  const now = Date.now();
  const list = deletionsOf(poll, resource);
  const { deletionsTo } = positionOf(poll.cursor, name);
  if (deletion?.strategy !== "list" || list === undefined) return;
  if (deletionsTo !== undefined && now - deletionsTo < Math.max(deletion.everyMs, LEAST_WINDOW_MS))
    return;
  // What is there now is what a list that reaches not back far enough is made up for with.
  if (deletionsTo === undefined && list.window !== undefined)
    if (!(await takeSnapshot(poll, resource, deletion, report))) return;
  const from = deletionsTo ?? poll.instance.baseline;
  const after = Math.max(from - OVERLAP_MS, poll.instance.baseline);
  const read = await readAll(poll, name, list, after, now);
  switch (read.kind) {
    case "listed":
      return told(poll, name, read.events, Math.min(read.covered ?? now, now), report);
    case "too-old":
      return resync(poll, resource, deletion, now, report);
    case "failed":
      report.error = `Deletions: ${read.message}`;
  }
}

function deletionsOf({ instance }: PollState, { url }: PolledResource): Deletions | undefined {
  const hub = parseHubUrl(url);
  const found = hub.ok ? findResource(instance.connector, hub.request.resource) : undefined;
  const list = found?.resource.deletions;
  if (found === undefined || list === undefined) return undefined;
  const path = list.path.replace(
    /(?<!\$)\{(\w+)\}/g,
    (whole, name: string) => found.pathValues[name] ?? whole,
  );
  return { ...list, path };
}

type ReadAll =
  | { kind: "listed"; events: NewEvent[]; covered: number | undefined }
  | { kind: "too-old" }
  | { kind: "failed"; message: string };

/** All pages, or nothing. */
async function readAll(
  poll: PollState,
  resource: string,
  list: Deletions,
  after: number,
  now: number,
): Promise<ReadAll> {
  const { path, window, cursor } = list;
  const events: NewEvent[] = [];
  let query = { ...list.query };
  if (window !== undefined)
    query = { ...query, [window.start]: seconds(after), [window.end]: seconds(now) };
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const answer = await callVendor(poll.instance, { method: "GET", path, query }, poll.doors);
    if (answer.kind === "vendor-error" && answer.code === window?.tooOld && window !== undefined)
      return { kind: "too-old" };
    if (answer.kind !== "json") return { kind: "failed", message: answer.message };
    const read = readDeletions(answer.value, list, { source: poll.source, resource, after });
    if (read.kind === "too-old") return read;
    if (read.kind === "unreadable")
      return { kind: "failed", message: `The answer has no list at '${list.root}'` };
    events.push(...read.events);
    if (read.next === undefined || cursor === undefined)
      return { kind: "listed", events, covered: read.covered };
    if (query[cursor.parameter] === read.next)
      return { kind: "failed", message: "The vendor's pages go round in a circle" };
    query = { ...query, [cursor.parameter]: read.next };
  }
  return { kind: "failed", message: `More than ${MOST_PAGES} pages` };
}

const seconds = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

async function told(
  poll: PollState,
  name: string,
  events: readonly NewEvent[],
  deletionsTo: number,
  report: ResourceReport,
): Promise<void> {
  const { cursor } = poll;
  const position = { ...positionOf(cursor, name), deletionsTo };
  poll.cursor = { ...cursor, resources: { ...cursor.resources, [name]: position } };
  await commitPage(
    poll,
    {
      ...base(poll),
      ...cursorOf(poll),
      events: await wantedBy(poll.instance, [...events]),
      targets: [targetOf(poll.instance, name, Date.now())],
      state: events.map(({ objectId }) => ({ key: snapshotKey(name, objectId), value: null })),
    },
    report,
  );
}

/** Deletions were lost: all ids are read, and those that are gone are told. */
async function resync(
  poll: PollState,
  resource: PolledResource,
  deletion: SnapshotRule,
  now: number,
  report: ResourceReport,
): Promise<void> {
  const { resource: name } = resource;
  console.warn(
    JSON.stringify({ at: "deletions.resync", instanceId: poll.instance.id, resource: name }),
  );
  if (await takeSnapshot(poll, resource, deletion, report)) await told(poll, name, [], now, report);
}
