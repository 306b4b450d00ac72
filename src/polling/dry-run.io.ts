import { feeds } from "../connectors/parsers";
import type { FeedCall, LogFeed, TreeFeed } from "../connectors/feed";
import type { NewEvent } from "../stream/event";
import { instanceSource, streamName } from "../stream/stream-name";
import { callVendor, type HubDoors, listRecords } from "../hub/records.client";
import type { Instance } from "../instances/instance";
import type { PolledResource } from "./polled-resource";
import { type Cursor, readCursor } from "./cursor";
import { logEvent } from "./feed/log-event";
import { applyTree } from "./feed/tree-changes";
import { indexFor } from "./feed/poll-tree.io";
import { planResource } from "./plan";
import { DRY_RECORDS, dryEvent, type DryReport } from "./report";
import { readPage, readUndated } from "./records";
import type { PollDoors, Stream } from "./commit.io";
import { polledResources } from "./settings";

type Looking = {
  instance: Instance;
  doors: HubDoors;
  stream: Stream;
  source: string;
  cursor: Cursor;
  now: number;
};

/** What the next poll would ask and emit; nothing moves, no lease is taken (reference v1-api.md). */
export async function pollDry(instance: Instance, doors: PollDoors): Promise<DryReport[]> {
  const settings = polledResources(instance);
  if (!settings.ok) return [];
  const source = instanceSource(instance.id);
  const { organizationId } = instance;
  const stream = doors.streams.getByName(streamName({ organizationId, source }));
  const cursor = readCursor((await stream.inspect()).cursor);
  const looking: Looking = { instance, doors, stream, source, cursor, now: Date.now() };
  const reports = await lookAtFeed(looking);
  for (const resource of settings.resources) reports.push(await lookAtList(looking, resource));
  return reports;
}

async function lookAtList(looking: Looking, resource: PolledResource): Promise<DryReport> {
  const { instance, doors, stream, source, cursor, now } = looking;
  const report = { objectType: resource.resource, events: [] };
  const planned = planResource(instance, source, cursor, resource, now);
  if (!planned.ok) return { ...report, request: resource.url, error: planned.message };
  const { request, reading, url } = planned;
  const query = { ...request, pageSize: DRY_RECORDS };
  const page = await listRecords(instance, request.resource, query, doors);
  if (page.kind !== "page") return { ...report, request: url, error: page.message };
  const read = readPage(page.records, reading);
  const known = await stream.readState(read.undated.map(({ key }) => key));
  const all = [...read.events, ...readUndated(read.undated, known, reading).events];
  return { ...report, request: url, events: await unseen(stream, all), error: null };
}

/** Entities of a bulk feed are shown by their lists, which tell the same. */
async function lookAtFeed(looking: Looking): Promise<DryReport[]> {
  const name = looking.instance.connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  switch (feed?.kind) {
    case "log":
      return [await lookAtLog(looking, feed)];
    case "tree":
      return [await lookAtTree(looking, feed)];
    case "bulk":
    case undefined:
      return [];
  }
}

async function lookAtLog(looking: Looking, feed: LogFeed): Promise<DryReport> {
  const { source, cursor, stream, now } = looking;
  const position = cursor.feed?.position ?? null;
  const call = position === null ? feed.start : feed.page(position);
  const answer = await askFeed(looking, call);
  if (!answer.ok) return answer.report;
  const page = feed.read(answer.value);
  if (page === undefined) return unreadable(call);
  // The first poll only asks where the log ends.
  const events =
    position === null ? [] : page.changes.map((change) => logEvent(source, change, now));
  return shown(call, await unseen(stream, events));
}

async function lookAtTree(looking: Looking, feed: TreeFeed): Promise<DryReport> {
  const { instance, source, cursor, stream, now } = looking;
  const at = cursor.feed;
  const position = at?.position ?? null;
  const call = position === null ? feed.list : feed.page(position);
  const answer = await askFeed(looking, call);
  if (!answer.ok) return answer.report;
  const page = feed.read(answer.value);
  if (page === undefined) return unreadable(call);
  const { phase = "listing", generation = 1, quiet = true } = at ?? {};
  const { events } = applyTree(page.entries, await indexFor(stream, page.entries), {
    source,
    position: `${generation}|${phase}|${position}`,
    generation,
    quiet: phase === "listing" && quiet,
    baseline: instance.baseline,
    startedAt: now,
  });
  return shown(call, await unseen(stream, events));
}

async function askFeed(
  { instance, doors }: Looking,
  call: FeedCall,
): Promise<{ ok: true; value: unknown } | { ok: false; report: DryReport }> {
  const answer = await callVendor(instance, call, doors);
  return answer.kind === "json"
    ? { ok: true, value: answer.value }
    : { ok: false, report: { ...shown(call, []), error: answer.message } };
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

async function unseen(stream: Stream, all: readonly NewEvent[]): Promise<DryReport["events"]> {
  const seen = new Set(await stream.knownIds(all.map(({ id }) => id)));
  return all
    .filter(({ id }) => !seen.has(id))
    .slice(0, DRY_RECORDS)
    .map(dryEvent);
}
