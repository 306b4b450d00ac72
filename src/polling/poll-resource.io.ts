import { sendPolls } from "../stream/polls-queue.io";
import type { Commit } from "../stream/event";
import { type HubFailure, type HubPage, listRecords } from "../hub/records.client";
import { durable, type Position as HubPosition, positionSchema } from "../hub/position";
import type { PolledResource } from "./polled-resource";
import type { Position } from "./cursor";
import { MOST_PAGES, PAGES_PER_POLL } from "./limits";
import { planResource, type PollPlan } from "./plan";
import { emptyReport, type ResourceReport } from "./report";
import { readPage, type Reading } from "./records";
import { changesNothing, needsAnotherScan, positionAfter, reachedOld, type Scan } from "./scan";
import { readUndated } from "./undated";
import { askedToWaitUntil, failureText } from "./vendor-refusal";
import {
  underLease,
  commitPage,
  cursorOf,
  fail,
  type PollState,
  postpone,
  targetOf,
  wantedBy,
} from "./commit.io";

/**
 * Polls one resource by its list: reads page after page, commits the events of each, and moves the resource's position
 * with the last page only, so that a poll that is cut off is simply done again.
 * @returns whether the resources after this one are polled too.
 */
export async function pollResource(
  poll: PollState,
  resource: PolledResource,
  report: ResourceReport,
): Promise<boolean> {
  const plan = planResource(poll.instance, poll.source, poll.cursor, resource, Date.now());
  if (!plan.ok) return fail(poll, resource.resource, plan.position, report, plan.message);
  let from = positionSchema.safeParse(plan.from).data;
  for (let scans = 1; ; scans += 1) {
    const outcome = await scanList(poll, plan, report, from, scans);
    if (outcome.kind !== "again") return endScan(poll, plan, report, outcome);
    from = undefined;
  }
}

type ScanOutcome =
  | { kind: "done" }
  /** The list may have shifted while it was read. */
  | { kind: "again" }
  /** As many pages as one poll may read: `next` is the one to go on with. */
  | { kind: "page-limit"; next: HubPosition }
  /** No room in the rate budget after `pages` pages; `next` is absent when the first one was not read. */
  | {
      kind: "crowded";
      until: number;
      message: string;
      next: HubPosition | undefined;
      pages: number;
    }
  | { kind: "failed"; message: string; waitUntil?: number | undefined };

/** Reads the list from `from` to its end. `scans`: how often it has been begun in this poll, this time included. */
async function scanList(
  poll: PollState,
  plan: PollPlan,
  report: ResourceReport,
  from: HubPosition | undefined,
  scans: number,
): Promise<ScanOutcome> {
  const { reading } = plan;
  const scan: Scan = { pages: 0, candidates: 0, fresh: 0, dates: [] };
  const read = new Set<string>();
  let position = from;
  for (;;) {
    const page = await askForPage(poll, plan, position);
    if (page.kind === "crowded")
      return { ...page, next: scan.pages === 0 ? undefined : position, pages: scan.pages };
    if (page.kind !== "page") return failed(page);
    scan.pages += 1;
    report.fetched += page.records.length;
    const changes = await readChanges(poll, page.records, reading, scan);
    if (page.next === null || reachedOld(scan, reading))
      return finishScan(poll, plan, report, scan, changes, scans);
    if (isChange(changes)) scan.fresh += await commitChanges(poll, reading, report, changes);
    const next = JSON.stringify(page.next);
    if (read.has(next))
      return { kind: "failed", message: "The vendor's pages go round in a circle" };
    read.add(next);
    position = page.next;
    if (scan.pages >= PAGES_PER_POLL) return { kind: "page-limit", next: position };
  }
}

function askForPage(
  { instance, doors }: PollState,
  { request }: PollPlan,
  position: HubPosition | undefined,
): Promise<HubPage> {
  const query = { ...request, ...(position === undefined ? {} : { position }) };
  return listRecords(instance, request.resource, query, doors);
}

const failed = (failure: HubFailure): ScanOutcome => ({
  kind: "failed",
  message: failureText(failure),
  waitUntil: askedToWaitUntil(failure),
});

type Changes = Required<Pick<Commit, "events" | "state">>;

const isChange = ({ events, state }: Changes): boolean => events.length > 0 || state.length > 0;

/** The events of a page, and the content hashes to keep of records without dates. Adds to the scan what was seen. */
async function readChanges(
  { stream, instance }: PollState,
  records: readonly unknown[],
  reading: Reading,
  scan: Scan,
): Promise<Changes> {
  const { events, undated, candidates, dates } = readPage(records, reading);
  scan.candidates += candidates;
  scan.dates.push(...dates);
  const keys = undated.map(({ key }) => key);
  const kept = keys.length === 0 ? {} : await stream.readState(keys);
  const hashed = readUndated(undated, kept, reading);
  return {
    events: await wantedBy(instance, [...events, ...hashed.events]),
    state: hashed.state,
  };
}

function commitChanges(
  poll: PollState,
  { resource, startedAt }: Reading,
  report: ResourceReport,
  changes: Changes & Pick<Commit, "cursor" | "keepIdsSince">,
): Promise<number> {
  const targets = [targetOf(poll.instance, resource.resource, startedAt)];
  return commitPage(poll, { ...underLease(poll), ...changes, targets }, report);
}

/** After the last page: its changes and the new position in one commit, or no write at all. */
async function finishScan(
  poll: PollState,
  { position, reading, numbered }: PollPlan,
  report: ResourceReport,
  scan: Scan,
  lastPage: Changes,
  scans: number,
): Promise<ScanOutcome> {
  const name = reading.resource.resource;
  const isIdle = scan.candidates === 0 && scan.fresh === 0 && !isChange(lastPage);
  if (isIdle) poll.idleAt.set(name, reading.startedAt);
  const isPostponed = poll.cursor.notBefore !== undefined;
  if (changesNothing(isIdle, position, reading, isPostponed)) return { kind: "done" };
  let changes = lastPage;
  if (needsAnotherScan(numbered, scans, scan, scan.fresh + lastPage.events.length)) {
    const fresh = isChange(lastPage) ? await commitChanges(poll, reading, report, lastPage) : 0;
    if (scan.fresh + fresh > 0) return { kind: "again" };
    changes = { events: [], state: [] };
  }
  const { notBefore: _over, ...cursor } = poll.cursor;
  const resources = { ...cursor.resources, [name]: positionAfter(position, isIdle, reading) };
  poll.cursor = { ...cursor, resources };
  await commitChanges(poll, reading, report, { ...changes, ...cursorOf(poll) });
  return { kind: "done" };
}

/** @returns whether the poll goes on with the next resource. */
async function endScan(
  poll: PollState,
  { position, reading, pages: pagesBefore }: PollPlan,
  report: ResourceReport,
  outcome: Exclude<ScanOutcome, { kind: "again" }>,
): Promise<boolean> {
  const name = reading.resource.resource;
  const { startedAt, after } = reading;
  switch (outcome.kind) {
    case "done":
      return true;
    case "failed":
      return outcome.waitUntil === undefined
        ? fail(poll, name, position, report, outcome.message)
        : postpone(poll, report, outcome.message, outcome.waitUntil);
    case "crowded": {
      const { next, pages } = outcome;
      poll.crowdedUntil = outcome.until;
      report.error = outcome.message;
      if (next === undefined) return false;
      const scan = { startedAt, after, position: durable(next), pages };
      await keepPlace(poll, name, { ...position, scan });
      return false;
    }
    case "page-limit": {
      const pages = pagesBefore + PAGES_PER_POLL;
      if (pages >= MOST_PAGES) {
        const { scan: _endless, ...rest } = position;
        const message = `The list does not end after ${MOST_PAGES} pages`;
        return fail(poll, name, rest, report, message);
      }
      const scan = { startedAt, after, position: durable(outcome.next), pages };
      await goOnAtOnce(poll, name, { ...position, scan });
      return false;
    }
  }
}

/** Another poll reads the rest now. Its message is kept as a wake too, in case the queue loses it. */
async function goOnAtOnce(poll: PollState, resource: string, position: Position): Promise<void> {
  const message = { ids: [poll.instance.id], again: true };
  const wake = { at: Date.now() + 60_000, message };
  await keepPlace(poll, resource, position, wake);
  await sendPolls(poll.doors.polls, [message]);
}

/** Stores where the scan stopped; the changes it found until there are committed already. */
async function keepPlace(
  poll: PollState,
  resource: string,
  position: Position,
  wake?: NonNullable<Commit["wake"]>,
): Promise<void> {
  poll.cursor = { ...poll.cursor, resources: { ...poll.cursor.resources, [resource]: position } };
  const work = { ...underLease(poll), ...cursorOf(poll), events: [], targets: [] };
  await commitPage(poll, wake === undefined ? work : { ...work, wake }, emptyReport(resource));
}
