import { feeds } from "../../connectors/parsers";
import type { BulkFeed, FeedCall, LogFeed, TreeFeed } from "../../connectors/feed";
import { eventId } from "../../events/event-id";
import type { NewEvent } from "../../events/event";
import { callVendor, type HubFailure } from "../../instances/hub/client";
import type { PolledResource } from "../configuration";
import { type FeedPosition, positionOf, underRule, windowStart } from "../cursor";
import { countAccepted, emptyReport, PAGES_A_RUN, type ResourceReport } from "../poll";
import { dateReader, readPage, type Reading } from "../records";
import {
  base,
  commitPage,
  commitWork,
  cursorOf,
  fail,
  postpone,
  type Run,
  targetOf,
} from "../run/consumer";
import { ruleOf } from "../settings";
import {
  applyTree,
  type Index,
  keysOf,
  nodeKeysIn,
  prefixesOf,
  sweep,
  type TreeWork,
} from "./tree";

/** Under this name the failures of a feed are counted. */
const FEED = "feed";
const STATE_PAGE = 500;
/** A feed that says it has more, and gives nothing this often in a row, is left until the next poll. */
const MOST_EMPTY = 20;

/** Reads the instance's feed to its end. @returns whether it went well. */
export async function pollFeed(run: Run, report: ResourceReport): Promise<boolean> {
  const name = run.instance.connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  switch (feed?.kind) {
    case "log":
      return pollLog(run, feed, report);
    case "tree":
      return pollTree(run, feed, report);
    case "bulk":
    case undefined:
      return true;
  }
}

type Answered = { kind: "json"; value: unknown } | HubFailure;

function ask(run: Run, call: FeedCall): Promise<Answered> {
  const { db, config } = run.doors;
  return callVendor(run.instance, call, { db, config });
}

const unreadable: HubFailure = {
  kind: "unreachable",
  message: "The answer is none of this feed's",
};

async function failed(run: Run, failure: HubFailure, report: ResourceReport): Promise<boolean> {
  if (failure.kind === "vendor-error" && failure.retryAt !== undefined)
    if (failure.status === 429 || failure.status === 503)
      return postpone(run, report, failure.message, failure.retryAt);
  const told =
    failure.kind === "vendor-error" && failure.providerMessage !== ""
      ? `${failure.message}: ${failure.providerMessage}`
      : failure.message;
  return fail(run, FEED, positionOf(run.cursor, FEED), report, told);
}

/** Moves the feed: its events, the index and the position in one commit. */
async function move(
  run: Run,
  feed: FeedPosition,
  work: TreeWork,
  report: ResourceReport,
  startedAt: number,
): Promise<void> {
  const { notBefore: _over, ...cursor } = run.cursor;
  const resources = { ...cursor.resources, [FEED]: { failures: 0, last: startedAt } };
  run.cursor = { ...cursor, resources, feed };
  const types = [...new Set(work.events.map(({ objectType }) => objectType))];
  const events = work.events.map((event): NewEvent => ({
    ...event,
    to: [types.indexOf(event.objectType)],
  }));
  const targets = types.map((type) => targetOf(run.instance, type, startedAt));
  await commitPage(run, { ...base(run), ...cursorOf(run), ...work, events, targets }, report);
}

/** Nothing new: only failures that are over are written down. */
async function rest(run: Run, feed: FeedPosition, report: ResourceReport): Promise<boolean> {
  const { failures } = positionOf(run.cursor, FEED);
  if (failures > 0 || run.cursor.notBefore !== undefined)
    await move(run, feed, { events: [], state: [] }, report, Date.now());
  return true;
}

/** More than one run can read: the rest follows at once. */
async function goOn(run: Run): Promise<boolean> {
  await run.doors.polls.send({ ids: [run.instance.id], wake: true });
  return true;
}

async function pollLog(run: Run, feed: LogFeed, report: ResourceReport): Promise<boolean> {
  const startedAt = Date.now();
  let position = run.cursor.feed?.position ?? null;
  let empty = 0;
  for (let pages = 0; pages < PAGES_A_RUN; pages += 1) {
    const answer = await ask(run, position === null ? feed.start : feed.page(position));
    if (answer.kind !== "json") {
      const isDead =
        position !== null &&
        answer.kind === "vendor-error" &&
        feed.isDead(answer.status, answer.providerMessage);
      if (!isDead) return failed(run, answer, report);
      console.warn(JSON.stringify({ at: "feed.reset", instanceId: run.instance.id }));
      position = null;
      continue;
    }
    const page = feed.read(answer.value);
    if (page === undefined) return failed(run, unreadable, report);
    const next: FeedPosition = {
      phase: "follow",
      position: page.position,
      generation: 1,
      quiet: false,
    };
    const isStart = position === null;
    if (!isStart && page.count === 0 && page.position === position) return rest(run, next, report);
    report.fetched += page.count;
    // What happened before the feed was first asked is history.
    const events = isStart ? [] : page.changes.map((change) => logEvent(run, change, startedAt));
    await move(run, next, { events, state: [] }, report, startedAt);
    empty = page.count === 0 ? empty + 1 : 0;
    if (isStart || empty > MOST_EMPTY) return true;
    position = page.position;
  }
  return goOn(run);
}

function logEvent(
  run: Run,
  { objectType, objectId, eventType, date, version, data }: ReturnType<LogChange>[number],
  startedAt: number,
): NewEvent {
  return {
    id: eventId(run.source, objectType, objectId, `feed:${version}`),
    objectType,
    objectId,
    eventType,
    date: date ?? startedAt,
    data: JSON.stringify(data),
    to: [],
  };
}
type LogChange = () => NonNullable<ReturnType<LogFeed["read"]>>["changes"];

async function pollTree(run: Run, feed: TreeFeed, report: ResourceReport): Promise<boolean> {
  const startedAt = Date.now();
  let at: FeedPosition = run.cursor.feed ?? {
    phase: "listing",
    position: null,
    generation: 1,
    quiet: true,
  };
  let empty = 0;
  for (let pages = 0; pages < PAGES_A_RUN; pages += 1) {
    if (at.phase === "sweep") at = await sweepAll(run, at, report, startedAt);
    const answer = await ask(run, at.position === null ? feed.list : feed.page(at.position));
    if (answer.kind !== "json") {
      const isDead =
        at.position !== null &&
        answer.kind === "vendor-error" &&
        feed.isDead(answer.status, answer.providerMessage);
      if (!isDead) return failed(run, answer, report);
      const { generation, quiet, phase } = at;
      const again = phase === "listing" ? generation : generation + 1;
      at = { phase: "listing", position: null, generation: again, quiet };
      continue;
    }
    const page = feed.read(answer.value);
    if (page === undefined) return failed(run, unreadable, report);
    report.fetched += page.entries.length;
    const next = after(at, page.position, page.more);
    if (at.phase === "follow" && page.entries.length === 0 && !page.more)
      return rest(run, at, report);
    const index = await indexFor(run, page.entries);
    const reading = readingOf(run, at, startedAt);
    await move(run, next, applyTree(page.entries, index, reading), report, startedAt);
    empty = page.entries.length === 0 ? empty + 1 : 0;
    const isDone = (next.phase === "follow" && !page.more) || empty > MOST_EMPTY;
    at = next;
    if (isDone) return true;
  }
  return goOn(run);
}

/** Where a page leads: a listing that ends is followed by a sweep, the first one by nothing to sweep. */
function after(at: FeedPosition, position: string, more: boolean): FeedPosition {
  if (at.phase !== "listing" || more) return { ...at, position };
  return { ...at, position, phase: at.quiet ? "follow" : "sweep", quiet: false };
}

function readingOf(run: Run, at: FeedPosition, startedAt: number) {
  return {
    source: run.source,
    position: `${at.generation}|${at.phase}|${at.position}`,
    generation: at.generation,
    quiet: at.phase === "listing" && at.quiet,
    baseline: run.instance.baseline,
    startedAt,
  };
}

async function sweepAll(
  run: Run,
  at: FeedPosition,
  report: ResourceReport,
  startedAt: number,
): Promise<FeedPosition> {
  const reading = readingOf(run, at, startedAt);
  for (let last = ""; ;) {
    const page = await run.stream.readStatePage("i|", last, STATE_PAGE);
    const work = sweep(page, reading);
    if (work.state.length > 0) await move(run, at, work, report, startedAt);
    if (page.length < STATE_PAGE) break;
    last = page.at(-1)?.key ?? "";
  }
  const follow: FeedPosition = { ...at, phase: "follow" };
  await move(run, follow, { events: [], state: [] }, report, startedAt);
  return follow;
}

/** The part of the index that a page needs: its paths, its ids, and what lies below what is gone. */
async function indexFor(run: Run, entries: Parameters<typeof keysOf>[0]): Promise<Index> {
  const index: Record<string, string> = await run.stream.readState([...new Set(keysOf(entries))]);
  for (const prefix of prefixesOf(entries))
    for (let last = ""; ;) {
      const page = await run.stream.readStatePage(prefix, last, STATE_PAGE);
      for (const { key, value } of page) index[key] = value;
      if (page.length < STATE_PAGE) break;
      last = page.at(-1)?.key ?? "";
    }
  const absent = nodeKeysIn(index).filter((key) => !(key in index));
  return absent.length === 0 ? index : { ...index, ...(await run.stream.readState(absent)) };
}

/**
 * Polls as many of the resources as the vendor tells in one request.
 * @returns what is left to poll one by one: other resources, windows too old, answers cut off.
 */
export async function pollBulk(
  run: Run,
  resources: readonly PolledResource[],
  reports: ResourceReport[],
): Promise<{ left: PolledResource[]; goesOn: boolean }> {
  const { connector, baseline } = run.instance;
  const name = connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  if (feed?.kind !== "bulk") return { left: [...resources], goesOn: true };
  const startedAt = Date.now();
  const windows = resources.flatMap((resource): Window[] => {
    const definition = connector.resources[resource.resource];
    const entity = definition?.objectType;
    const own = connector.events.polling[resource.resource]?.["url"];
    if (entity === undefined || !feed.covers(entity) || own !== resource.url) return [];
    const position = underRule(
      positionOf(run.cursor, resource.resource),
      ruleOf(resource),
      baseline,
    );
    const from = windowStart(position, baseline, resource);
    const isReached = from > startedAt - feed.maxAgeMs && position.scan === undefined;
    return isReached ? [{ resource, entity, position, from, deleted: definition?.deleted }] : [];
  });
  if (windows.length === 0) return { left: [...resources], goesOn: true };
  const read = await askBulk(run, feed, windows);
  if (read.kind === "failed") {
    const report = emptyReport(windows[0]?.resource.resource ?? FEED);
    reports.push(report);
    return { left: [], goesOn: await failed(run, read.failure, report) };
  }
  const taken = new Set(read.whole.keys());
  await commitBulk(run, [...read.whole.values()], startedAt, reports);
  return { left: resources.filter(({ resource }) => !taken.has(resource)), goesOn: true };
}

type Window = {
  resource: PolledResource;
  entity: string;
  position: ReturnType<typeof positionOf>;
  from: number;
  deleted: Reading["deleted"];
};
type WholeWindow = Window & { records: unknown[] };
type BulkRead =
  | { kind: "read"; whole: Map<string, WholeWindow> }
  | { kind: "failed"; failure: HubFailure };

/** Halves what was asked for while answers are full; what is full alone is left out. */
async function askBulk(run: Run, feed: BulkFeed, windows: readonly Window[]): Promise<BulkRead> {
  const whole = new Map<string, WholeWindow>();
  const open = [windows];
  for (let part = open.shift(); part !== undefined; part = open.shift()) {
    const entities = part.map(({ entity }) => entity);
    const answer = await ask(run, feed.ask(entities, Math.min(...part.map(({ from }) => from))));
    if (answer.kind !== "json") return { kind: "failed", failure: answer };
    const read = feed.read(answer.value, entities);
    if (read === undefined) return { kind: "failed", failure: unreadable };
    const count = [...read.values()].reduce((sum, records) => sum + records.length, 0);
    if (count < feed.most)
      for (const window of part)
        whole.set(window.resource.resource, { ...window, records: read.get(window.entity) ?? [] });
    else if (part.length > 1) {
      const half = Math.ceil(part.length / 2);
      open.push(part.slice(0, half), part.slice(half));
    }
  }
  return { kind: "read", whole };
}

async function commitBulk(
  run: Run,
  windows: readonly WholeWindow[],
  startedAt: number,
  reports: ResourceReport[],
): Promise<void> {
  const moved: Record<string, Window["position"]> = {};
  const all: NewEvent[] = [];
  const targets = [];
  for (const { resource, records, position, from, deleted } of windows) {
    const report = emptyReport(resource.resource);
    report.fetched = records.length;
    reports.push(report);
    const reading: Reading = {
      source: run.source,
      resource,
      deleted,
      after: from,
      startedAt,
      templated: true,
      firstPoll: position.last === undefined,
      updated: dateReader(resource.updated),
      created: dateReader(resource.created),
    };
    const { events, candidates } = readPage(records, reading);
    if (candidates === 0) run.idleAt.set(resource.resource, startedAt);
    if (candidates === 0 && position.failures === 0) continue;
    const { failedAt: _failed, lastError: _error, ...rest } = position;
    moved[resource.resource] = {
      ...rest,
      failures: 0,
      ...(candidates === 0 ? {} : { last: startedAt }),
    };
    all.push(...events.map((event) => ({ ...event, to: [targets.length] })));
    targets.push(targetOf(run.instance, resource.resource, startedAt));
  }
  if (Object.keys(moved).length === 0) return;
  const { notBefore: _over, ...cursor } = run.cursor;
  run.cursor = { ...cursor, resources: { ...cursor.resources, ...moved } };
  const accepted = await commitWork(run, {
    ...base(run),
    ...cursorOf(run),
    events: all,
    targets,
  });
  for (const report of reports)
    countAccepted(
      report,
      all.filter(({ objectType }) => objectType === report.objectType),
      accepted,
    );
}
