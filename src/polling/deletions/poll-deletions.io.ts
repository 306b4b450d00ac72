import type { Deletions } from "../../connectors/definition";
import type { Happened } from "../../stream/event";
import { callVendor } from "../../hub/records.client";
import { findResource } from "../../hub/request";
import type { PolledResource } from "../polled-resource";
import { positionOf } from "../cursor";
import { parseHubUrl } from "../hub-url";
import type { ResourceReport } from "../report";
import { failureText } from "../../hub/answer";
import { underLease, commitPage, cursorOf, type PollState } from "../commit.io";
import { takeSnapshot } from "../snapshot/take-snapshot.io";
import { withLives } from "../lives.io";
import { readDeletions } from "./read-deletions";
import { isoSeconds } from "../../values/instant";

/**
 * Deletions from the vendor's own list of them (Salesforce's `/deleted`, HubSpot's `archived=true`), for resources with
 * `deletion.strategy: "list"`. Such a list may reach back only so far: Salesforce forgets deletions after 15 days or
 * earlier. So the first run takes a snapshot of all ids; if the list turns out too short later, say after an outage,
 * the ids are compared with that snapshot, and those that are missing were deleted.
 */

/** A list of more pages than this is not read to its end, and nothing is concluded from it. */
const MOST_PAGES = 1_000;
/** Salesforce wants the start and end of a window more than a minute apart. */
const LEAST_WINDOW_MS = 61_000;
/** Each window begins this much before the end of the last one: a deletion may enter the list after its date. */
const OVERLAP_MS = 600_000;

/** Reads the list of deletions of a resource that is configured for it, when it is due. */
export async function pollDeletions(
  poll: PollState,
  resource: PolledResource,
  report: ResourceReport,
): Promise<void> {
  const { deletion, resource: name } = resource;
  const now = Date.now();
  const { baseline } = poll.instance;
  const list = deletionsOf(poll, resource);
  const { deletionsTo } = positionOf(poll.cursor, name);
  if (deletion?.strategy !== "list" || list === undefined) return;
  if (deletionsTo !== undefined && now - deletionsTo < Math.max(deletion.everyMs, LEAST_WINDOW_MS))
    return;
  const isFirst = deletionsTo === undefined;
  if (isFirst && list.window !== undefined)
    if (!(await takeSnapshot(poll, resource, deletion, report))) return;
  const after = Math.max((deletionsTo ?? baseline) - OVERLAP_MS, baseline);
  const read = await readList(poll, name, list, after, now);
  switch (read.kind) {
    case "listed":
      return commitDeletions(poll, name, read.events, Math.min(read.covered ?? now, now), report);
    case "too-old":
      console.warn(
        JSON.stringify({ at: "deletions.resync", instanceId: poll.instance.id, resource: name }),
      );
      if (await takeSnapshot(poll, resource, deletion, report))
        await commitDeletions(poll, name, [], now, report);
      return;
    case "failed":
      report.error = `Deletions: ${read.message}`;
  }
}

/** Where the vendor lists the deletions of a resource; undefined when it has no such list. */
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

type ReadList =
  | { kind: "listed"; events: Happened[]; covered: number | undefined }
  | { kind: "too-old" }
  | { kind: "failed"; message: string };

/** The deletions later than `after`: all pages of the list, or nothing. */
async function readList(
  poll: PollState,
  resource: string,
  list: Deletions,
  after: number,
  now: number,
): Promise<ReadList> {
  const { path, window, cursor } = list;
  const events: Happened[] = [];
  let query = { ...list.query };
  if (window !== undefined)
    query = { ...query, [window.start]: isoSeconds(after), [window.end]: isoSeconds(now) };
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const answer = await callVendor(poll.instance, { method: "GET", path, query }, poll.doors);
    if (answer.kind === "vendor-error" && answer.code === window?.tooOld && window !== undefined)
      return { kind: "too-old" };
    if (answer.kind !== "json") return { kind: "failed", message: failureText(answer) };
    const read = readDeletions(answer.value, list, { source: poll.source, resource, after, now });
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

/** Commits deletions, and that the list was read up to `deletionsTo`; their ids leave the snapshot too. */
async function commitDeletions(
  poll: PollState,
  name: string,
  events: readonly Happened[],
  deletionsTo: number,
  report: ResourceReport,
): Promise<void> {
  const { cursor } = poll;
  const position = { ...positionOf(cursor, name), deletionsTo };
  poll.cursor = { ...cursor, resources: { ...cursor.resources, [name]: position } };
  const lives = await withLives(poll, name, events);
  await commitPage(
    poll,
    {
      ...underLease(poll),
      ...cursorOf(poll),
      events: lives.events,
      state: lives.state,
    },
    report,
  );
}
