import type { BulkFeed } from "../../connectors/feed";
import { feeds } from "../../connectors/parsers";
import type { NewEvent } from "../../stream/event";
import type { HubFailure } from "../../hub/records.client";
import type { PolledResource } from "../polled-resource";
import { positionOf, underRule, windowStart } from "../cursor";
import { underTodaysNames } from "../plan";
import { countAccepted, emptyReport, type ResourceReport } from "../report";
import { dateReader, readPage, type Reading } from "../records";
import { base, commitWork, cursorOf, type PollState, targetOf, wantedBy } from "../commit.io";
import { ruleOf } from "../settings";
import { ask, failed, FEED, unreadable } from "./progress.io";

/**
 * Polls as many of the resources as the vendor tells in one request.
 * @returns what is left to poll one by one: other resources, windows too old, answers cut off.
 */
export async function pollBulk(
  poll: PollState,
  resources: readonly PolledResource[],
  reports: ResourceReport[],
): Promise<PolledResource[]> {
  const { connector, baseline } = poll.instance;
  const name = connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  if (feed?.kind !== "bulk") return [...resources];
  const startedAt = Date.now();
  const windows = resources.flatMap((resource): Window[] => {
    const definition = connector.resources[resource.resource];
    if (definition === undefined) return [];
    const entity = definition.objectType;
    const own = connector.events.polling[resource.resource]?.["url"];
    if (entity === undefined || !feed.covers(entity) || own !== resource.url) return [];
    const position = underRule(
      positionOf(poll.cursor, resource.resource),
      ruleOf(resource),
      baseline,
    );
    const from = windowStart(position, baseline, resource);
    const isReached = from > startedAt - feed.maxAgeMs && position.scan === undefined;
    const { deleted, formerly } = definition;
    const read = underTodaysNames(resource, formerly);
    return isReached ? [{ resource: read, entity, position, from, deleted }] : [];
  });
  if (windows.length === 0) return [...resources];
  const read = await askBulk(poll, feed, windows);
  if (read.kind === "failed") {
    const report = emptyReport(windows[0]?.resource.resource ?? FEED);
    reports.push(report);
    await failed(poll, read.failure, report);
    return [];
  }
  const taken = new Set(read.whole.keys());
  await commitBulk(poll, [...read.whole.values()], startedAt, reports);
  return resources.filter(({ resource }) => !taken.has(resource));
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
async function askBulk(
  poll: PollState,
  feed: BulkFeed,
  windows: readonly Window[],
): Promise<BulkRead> {
  const whole = new Map<string, WholeWindow>();
  const open = [windows];
  for (let part = open.shift(); part !== undefined; part = open.shift()) {
    const entities = part.map(({ entity }) => entity);
    const answer = await ask(poll, feed.ask(entities, Math.min(...part.map(({ from }) => from))));
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
  poll: PollState,
  windows: readonly WholeWindow[],
  startedAt: number,
  reports: ResourceReport[],
): Promise<void> {
  const moved: Record<string, Window["position"]> = {};
  // Failures of the one request are over; a place of its own it has not.
  const { [FEED]: failing, ...places } = poll.cursor.resources;
  const all: NewEvent[] = [];
  const targets = [];
  for (const { resource, records, position, from, deleted } of windows) {
    const report = emptyReport(resource.resource);
    report.fetched = records.length;
    reports.push(report);
    const reading: Reading = {
      source: poll.source,
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
    if (candidates === 0) poll.idleAt.set(resource.resource, startedAt);
    if (candidates === 0 && position.failures === 0) continue;
    const { failedAt: _failed, lastError: _error, ...rest } = position;
    moved[resource.resource] = {
      ...rest,
      failures: 0,
      ...(candidates === 0 ? {} : { last: startedAt }),
    };
    all.push(...events.map((event) => ({ ...event, to: [targets.length] })));
    targets.push(targetOf(poll.instance, resource.resource, startedAt));
  }
  if (Object.keys(moved).length === 0 && failing === undefined) return;
  const { notBefore: _over, ...cursor } = poll.cursor;
  poll.cursor = { ...cursor, resources: { ...places, ...moved } };
  const accepted = await commitWork(poll, {
    ...base(poll),
    ...cursorOf(poll),
    events: await wantedBy(poll.instance, all),
    targets,
  });
  for (const report of reports)
    countAccepted(
      report,
      all.filter(({ objectType }) => objectType === report.objectType),
      accepted,
    );
}
