import type { BulkFeed } from "../../connectors/feed";
import { feeds } from "../../connectors/parsers";
import type { Happened } from "../../stream/event";
import type { HubFailure } from "../../hub/records.client";
import type { Position } from "../cursor";
import type { PolledResource } from "../polled-resource";
import { countAccepted, emptyReport, type ResourceReport } from "../report";
import { underLease, commitWork, cursorOf, type PollState } from "../commit.io";
import { bulkWindows, readWindow, type Window } from "./bulk-windows";
import { askFeed, FEED, failFeed, UNREADABLE } from "./progress.io";

/**
 * Polls many resources with one request, where the vendor has such a feed (QuickBooks' change data capture).
 * @returns the resources that are left to be polled one by one, by their lists.
 */
export async function pollBulk(
  poll: PollState,
  resources: readonly PolledResource[],
  reports: ResourceReport[],
): Promise<PolledResource[]> {
  const { instance, cursor } = poll;
  const name = instance.connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  if (feed?.kind !== "bulk") return [...resources];
  const startedAt = Date.now();
  const windows = bulkWindows(instance, cursor, feed, resources, startedAt);
  if (windows.length === 0) return [...resources];
  const answer = await askWindows(poll, feed, windows);
  if (answer.kind === "failed") {
    const report = emptyReport(windows[0]?.resource.resource ?? FEED);
    reports.push(report);
    await failFeed(poll, answer.failure, report);
    return [];
  }
  await commitWindows(poll, answer.complete, startedAt, reports);
  const polled = new Set(answer.complete.map(({ resource }) => resource.resource));
  return resources.filter(({ resource }) => !polled.has(resource));
}

type AnsweredWindow = Window & { records: unknown[] };
type BulkAnswer =
  | { kind: "answered"; complete: AnsweredWindow[] }
  | { kind: "failed"; failure: HubFailure };

/**
 * Asks for all windows at once. An answer with as many records as the vendor gives at most may lack some: its windows
 * are asked for again in two halves. A single window whose answer is full is left to the resource's list.
 */
async function askWindows(
  poll: PollState,
  feed: BulkFeed,
  windows: readonly Window[],
): Promise<BulkAnswer> {
  const complete: AnsweredWindow[] = [];
  const unasked = [windows];
  for (let part = unasked.shift(); part !== undefined; part = unasked.shift()) {
    const entities = part.map(({ entity }) => entity);
    const since = Math.min(...part.map(({ from }) => from));
    const answer = await askFeed(poll, feed.ask(entities, since));
    if (answer.kind !== "json") return { kind: "failed", failure: answer };
    const records = feed.read(answer.value, entities);
    if (records === undefined) return { kind: "failed", failure: UNREADABLE };
    const count = [...records.values()].reduce((sum, { length }) => sum + length, 0);
    if (count < feed.most)
      complete.push(...part.map((one) => ({ ...one, records: records.get(one.entity) ?? [] })));
    else if (part.length > 1) {
      const half = Math.ceil(part.length / 2);
      unasked.push(part.slice(0, half), part.slice(half));
    }
  }
  return { kind: "answered", complete };
}

/** The events of all windows and the new positions of their resources in one commit; none when nothing has changed. */
async function commitWindows(
  poll: PollState,
  windows: readonly AnsweredWindow[],
  startedAt: number,
  reports: ResourceReport[],
): Promise<void> {
  const { source } = poll;
  const moved: Record<string, Position> = {};
  const found: Happened[] = [];
  for (const window of windows) {
    const name = window.resource.resource;
    reports.push({ ...emptyReport(name), fetched: window.records.length });
    const reading = readWindow(window, window.records, source, startedAt);
    if (reading.isIdle) poll.idleAt.set(name, startedAt);
    if (reading.moved === undefined) continue;
    moved[name] = reading.moved;
    found.push(...reading.events);
  }
  // The request succeeded: failures that were counted under the feed's name are over.
  const { [FEED]: failed, ...positions } = poll.cursor.resources;
  if (Object.keys(moved).length === 0 && failed === undefined) return;
  const { notBefore: _over, ...cursor } = poll.cursor;
  poll.cursor = { ...cursor, resources: { ...positions, ...moved } };
  const accepted = await commitWork(poll, {
    ...underLease(poll),
    ...cursorOf(poll),
    events: found,
    pollDate: startedAt,
  });
  for (const report of reports) {
    const own = found.filter(({ objectType }) => objectType === report.objectType);
    countAccepted(report, own, accepted);
  }
}
