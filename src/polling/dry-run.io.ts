import { feeds } from "../connectors/parsers";
import type { FeedCall, LogFeed, TreeFeed } from "../connectors/feed";
import type { Happened } from "../stream/event";
import { instanceSource, streamName } from "../stream/stream-name";
import { callVendor, type HubDoors, listRecords } from "../hub/records.client";
import type { Instance } from "../instances/instance";
import type { PolledResource } from "./polled-resource";
import { type Cursor, readCursor } from "./cursor";
import { logEvent } from "./feed/log-event";
import { indexFor } from "./feed/poll-tree.io";
import { applyTree } from "./feed/tree-changes";
import { TREE_START } from "./feed/tree-position";
import { planResource } from "./plan";
import { readPage } from "./records";
import { readUndated } from "./undated";
import { failureText } from "../hub/answer";
import type { PollDoors, Stream } from "./commit.io";
import { polledResources } from "./settings";
import { isoText } from "../values/instant";
import { jsonValue } from "../values/json";

/** A dry run shows at most this many events of a resource. */
const MOST_SHOWN = 20;

/** What the next poll of a resource would request and emit. */
export type DryReport = {
  objectType: string;
  request: string;
  events: { objectId: string; eventType: string; date: string; data: unknown }[];
  error: string | null;
};

type DryRun = {
  instance: Instance;
  doors: HubDoors;
  /** Undefined of an instance that is still to be made. */
  stream: Stream | undefined;
  source: string;
  cursor: Cursor;
  now: number;
};

/**
 * What the next poll would request and emit. No cursor moves, nothing is stored, no lease is taken
 * (reference v1-api.md).
 * @param isMade Otherwise the instance is still to be made, and this is its first poll.
 */
export async function pollDry(
  instance: Instance,
  doors: PollDoors,
  isMade = true,
): Promise<DryReport[]> {
  const settings = polledResources(instance);
  if (!settings.ok) return [];
  const source = instanceSource(instance.id);
  const { organizationId } = instance;
  const stream = isMade
    ? doors.streams.getByName(streamName({ organizationId, source }))
    : undefined;
  const cursor = readCursor(stream === undefined ? null : (await stream.inspect()).cursor);
  const dryRun: DryRun = { instance, doors, stream, source, cursor, now: Date.now() };
  const reports = await dryFeed(dryRun);
  for (const resource of settings.resources) reports.push(await dryList(dryRun, resource));
  return reports;
}

async function dryList(dryRun: DryRun, resource: PolledResource): Promise<DryReport> {
  const { instance, doors, stream, source, cursor, now } = dryRun;
  const report = { objectType: resource.resource, events: [] };
  const planned = planResource(instance, source, cursor, resource, now);
  if (!planned.ok) return { ...report, request: resource.url, error: planned.message };
  const { request, reading, url } = planned;
  const query = { ...request, pageSize: MOST_SHOWN };
  const page = await listRecords(instance, request.resource, query, doors);
  if (page.kind !== "page") return { ...report, request: url, error: failureText(page) };
  const read = readPage(page.records, reading);
  const kept = (await stream?.readState(read.undated.map(({ key }) => key))) ?? {};
  const all = [...read.events, ...readUndated(read.undated, kept, reading).events];
  return { ...report, request: url, events: await unseen(stream, all), error: null };
}

/** The resources of a bulk feed are shown by their lists, which hold the same changes. */
async function dryFeed(dryRun: DryRun): Promise<DryReport[]> {
  const name = dryRun.instance.connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  switch (feed?.kind) {
    case "log":
      return [await dryLog(dryRun, feed)];
    case "tree":
      return [await dryTree(dryRun, feed)];
    case "bulk":
    case undefined:
      return [];
  }
}

async function dryLog(dryRun: DryRun, feed: LogFeed): Promise<DryReport> {
  const { source, cursor, stream, now } = dryRun;
  const position = cursor.feed?.position ?? null;
  const call = position === null ? feed.start : feed.page(position);
  const answer = await callFeed(dryRun, call);
  if (!answer.ok) return answer.report;
  const page = feed.read(answer.value);
  if (page === undefined) return unreadable(call);
  // The first poll only learns where the log ends.
  const events =
    position === null ? [] : page.changes.map((change) => logEvent(source, change, now));
  return shown(call, await unseen(stream, events));
}

async function dryTree(dryRun: DryRun, feed: TreeFeed): Promise<DryReport> {
  const { instance, source, cursor, stream, now } = dryRun;
  const { phase, position, generation, quiet } = cursor.feed ?? TREE_START;
  const call = position === null ? feed.list : feed.page(position);
  const answer = await callFeed(dryRun, call);
  if (!answer.ok) return answer.report;
  const page = feed.read(answer.value);
  if (page === undefined) return unreadable(call);
  const index = stream === undefined ? {} : await indexFor(stream, page.entries);
  const { events } = applyTree(page.entries, index, {
    source,
    position: `${generation}|${phase}|${position}`,
    generation,
    quiet: phase === "listing" && quiet,
    baseline: instance.baseline,
    startedAt: now,
  });
  return shown(call, await unseen(stream, events));
}

async function callFeed(
  { instance, doors }: DryRun,
  call: FeedCall,
): Promise<{ ok: true; value: unknown } | { ok: false; report: DryReport }> {
  const answer = await callVendor(instance, call, doors);
  return answer.kind === "json"
    ? { ok: true, value: answer.value }
    : { ok: false, report: { ...shown(call, []), error: failureText(answer) } };
}

function shown({ method, path, query }: FeedCall, events: DryReport["events"]): DryReport {
  const text = new URLSearchParams(query).toString();
  const request = `${method} ${path}${text === "" ? "" : `?${text}`}`;
  return { objectType: "feed", request, events, error: null };
}

const unreadable = (call: FeedCall): DryReport => ({
  ...shown(call, []),
  error: "The answer is none of this feed's",
});

/** The events that the stream doesn't have yet, as they are shown. */
async function unseen(
  stream: Stream | undefined,
  all: readonly Happened[],
): Promise<DryReport["events"]> {
  const ids = all.flatMap(({ id, formerly }) => (formerly === undefined ? [id] : [id, formerly]));
  const seen = new Set(await stream?.knownIds(ids));
  return all
    .filter(({ id, formerly }) => !seen.has(id) && (formerly === undefined || !seen.has(formerly)))
    .slice(0, MOST_SHOWN)
    .map(({ objectId, eventType, date, data }) => ({
      objectId,
      eventType,
      date: isoText(date),
      data: jsonValue(data),
    }));
}
