import { type HubFailure, type HubPage, listRecords } from "../hub/records.client";
import { type Position as HubPosition, positionSchema } from "../hub/position";
import type { PolledResource } from "./polled-resource";
import { beginAgain, type Census, countPage, gapOf, newCensus } from "./census";
import { endScan, type ScanOutcome } from "./end-scan.io";
import { MOST_SCANS, PAGES_PER_POLL } from "./limits";
import { planResource, type PollPlan } from "./plan";
import { nextPageSize } from "./page-size";
import type { ResourceReport } from "./report";
import { readPage, type Reading } from "./records";
import { changesNothing, needsAnotherScan, positionAfter, reachedOld, type Scan } from "./scan";
import { readUndated } from "./undated";
import { failureText } from "../hub/answer";
import { askedToWaitUntil } from "./vendor-refusal";
import { underLease, commitPage, cursorOf, fail, type PollState, type Work } from "./commit.io";
import { withLives } from "./lives.io";

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
  const census = newCensus(plan.records);
  for (let scans = 1; ; scans += 1) {
    const outcome = await scanList(poll, plan, report, { from, scans, census });
    if (outcome.kind !== "again") return endScan(poll, plan, report, outcome, census);
    from = undefined;
    beginAgain(census);
  }
}

/** `scans`: how often the list has been begun in this poll, this time included. */
type Pass = { from: HubPosition | undefined; scans: number; census: Census };

/** Reads the list from `from` to its end. */
async function scanList(
  poll: PollState,
  plan: PollPlan,
  report: ResourceReport,
  { from, scans, census }: Pass,
): Promise<ScanOutcome> {
  const { reading } = plan;
  const scan: Scan = { pages: 0, candidates: 0, fresh: 0, dates: [] };
  const read = new Set<string>();
  let position = from;
  for (;;) {
    const page = await readListPage(poll, plan, { position, byId: scans > 1 }, { scan, census });
    if (page.kind === "crowded")
      return { ...page, next: scan.pages === 0 ? undefined : position, pages: scan.pages };
    if (page.kind !== "read") return failed(page);
    report.fetched += page.fetched;
    const { changes, next } = page;
    const isCut = next !== null && reachedOld(scan, reading);
    if (next === null || isCut) {
      const gap = isCut ? undefined : gapOf(census, plan.numbered);
      return finishScan(poll, plan, report, { scan, lastPage: changes, scans, gap });
    }
    if (isChange(changes)) scan.fresh += await commitChanges(poll, reading, report, changes);
    const name = JSON.stringify(next);
    if (read.has(name))
      return { kind: "failed", message: "The vendor's pages go round in a circle" };
    read.add(name);
    position = next;
    if (scan.pages >= PAGES_PER_POLL)
      return { kind: "page-limit", next: position, pages: scan.pages };
  }
}

/** What one page says; its records are not held any longer. */
type ReadPage =
  | { kind: "read"; changes: Changes; next: HubPosition | null; fetched: number }
  | HubFailure;

/** Reads one page, and decides how large the next one shall be. Adds to the scan what was seen. */
async function readListPage(
  poll: PollState,
  plan: PollPlan,
  at: { position: HubPosition | undefined; byId: boolean },
  { scan, census }: { scan: Scan; census: Census },
): Promise<ReadPage> {
  const page = await askForPage(poll, plan, at.position, at.byId);
  if (page.kind !== "page") return page;
  const { records, next } = page;
  scan.pages += 1;
  countPage(census, page);
  const changes = await readChanges(poll, records, plan.reading, scan);
  sizeNextPage(poll, plan, page.ids.length + page.unnamed);
  return { kind: "read", changes, next, fetched: records.length };
}

function sizeNextPage({ doors }: PollState, plan: PollPlan, records: number): void {
  const { request, normalPageSize } = plan;
  const units = doors.course.lastUnits;
  const pageSize = nextPageSize(request.pageSize, normalPageSize, { units, records });
  if (pageSize === request.pageSize) return;
  plan.request = { ...request, pageSize };
  const { pageSize: _before, ...position } = plan.position;
  plan.position = pageSize === normalPageSize ? position : { ...position, pageSize };
}

function askForPage(
  { instance, doors }: PollState,
  { request }: PollPlan,
  position: HubPosition | undefined,
  byId: boolean,
): Promise<HubPage> {
  const query = { ...request, byId, ...(position === undefined ? {} : { position }) };
  return listRecords(instance, request.resource, query, doors);
}

const failed = (failure: HubFailure): ScanOutcome => ({
  kind: "failed",
  message: failureText(failure),
  waitUntil: askedToWaitUntil(failure),
});

type Changes = Required<Pick<Work, "events" | "state">> & Pick<Work, "cursor" | "keepIdsSince">;

const isChange = ({ events, state }: Changes): boolean => events.length > 0 || state.length > 0;

/** The events of a page, and the content hashes to keep of records without dates. Adds to the scan what was seen. */
async function readChanges(
  poll: PollState,
  records: readonly unknown[],
  reading: Reading,
  scan: Scan,
): Promise<Changes> {
  const { events, undated, candidates, dates } = readPage(records, reading);
  scan.candidates += candidates;
  scan.dates.push(...dates);
  const keys = undated.map(({ key }) => key);
  const kept = keys.length === 0 ? {} : await poll.stream.readState(keys);
  const hashed = readUndated(undated, kept, reading);
  const all = [...events, ...hashed.events];
  const lives = await withLives(poll, reading.resource.resource, all);
  return { ...lives, state: [...hashed.state, ...lives.state] };
}

function commitChanges(
  poll: PollState,
  { startedAt }: Reading,
  report: ResourceReport,
  changes: Changes,
): Promise<number> {
  return commitPage(poll, { ...underLease(poll), ...changes, pollDate: startedAt }, report);
}

/** A list that was read to its last page, whose changes are not committed yet. `gap`: what does not add up. */
type ReadList = { scan: Scan; lastPage: Changes; scans: number; gap: string | undefined };

/** After the last page: its changes and the new position in one commit, or no write at all. */
async function finishScan(
  poll: PollState,
  { position, reading, numbered }: PollPlan,
  report: ResourceReport,
  { scan, lastPage, scans, gap }: ReadList,
): Promise<ScanOutcome> {
  const name = reading.resource.resource;
  const isIdle = scan.candidates === 0 && scan.fresh === 0 && !isChange(lastPage);
  if (isIdle) poll.idleAt.set(name, reading.startedAt);
  const isPostponed = poll.cursor.notBefore !== undefined;
  if (gap !== undefined) {
    if (isChange(lastPage)) await commitChanges(poll, reading, report, lastPage);
    return scans < MOST_SCANS ? { kind: "again" } : { kind: "incomplete", message: gap };
  }
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
