import type { Commit } from "../stream/event";
import { type HubPage, listRecords } from "../hub/records.client";
import { durable, type Position as HubPosition, positionSchema } from "../hub/position";
import { newestFirst } from "./classify";
import type { PolledResource } from "./polled-resource";
import type { Position } from "./cursor";
import type { HubRequest } from "./hub-url";
import { planResource } from "./plan";
import { emptyReport, MOST_PASSES, MOST_PAGES, PAGES_A_RUN, type ResourceReport } from "./report";
import { readPage, readUndated, type Reading } from "./records";
import {
  base,
  commitPage,
  cursorOf,
  fail,
  postpone,
  type PollState,
  targetOf,
  wantedBy,
} from "./commit.io";

/** Reads one resource of an instance, page by page, and commits what changed. */

/** @returns whether the resources after this one are polled too. */
export async function pollResource(
  poll: PollState,
  resource: PolledResource,
  report: ResourceReport,
): Promise<boolean> {
  const name = resource.resource;
  const plan = planResource(poll.instance, poll.source, poll.cursor, resource, Date.now());
  const { position } = plan;
  if (!plan.ok) return fail(poll, name, position, report, plan.message);
  const { request, reading, numbered } = plan;
  const { startedAt, after } = reading;
  for (let pass = 1; ; pass += 1) {
    const outcome = await scanPages(poll, request, reading, report, {
      position,
      from: pass === 1 ? positionSchema.safeParse(plan.from).data : undefined,
      finishes: (fresh, pages) => !(numbered && pages > 1 && fresh > 0 && pass < MOST_PASSES),
    });
    switch (outcome.kind) {
      case "done":
        return true;
      case "again":
        continue;
      case "failed":
        return outcome.retryAt === undefined
          ? fail(poll, name, position, report, outcome.message)
          : postpone(poll, report, outcome.message, outcome.retryAt);
      case "crowded":
        poll.crowdedUntil = outcome.until;
        report.error = outcome.message;
        if (outcome.next !== undefined)
          await keepPlace(poll, name, {
            ...position,
            scan: { startedAt, after, position: durable(outcome.next), pages: outcome.pages },
          });
        return false;
      case "budget": {
        const pages = plan.pages + PAGES_A_RUN;
        if (pages >= MOST_PAGES) {
          const { scan: _endless, ...ended } = position;
          const message = `The list does not end after ${MOST_PAGES} pages`;
          return fail(poll, name, ended, report, message);
        }
        return continueLater(poll, name, {
          ...position,
          scan: { startedAt, after, position: durable(outcome.next), pages },
        });
      }
    }
  }
}

type ScanOutcome =
  | { kind: "done" }
  | { kind: "again" }
  | { kind: "budget"; next: HubPosition }
  /** No room in the rate budget: after `pages` pages of this run, `next` is the one to go on with. */
  | {
      kind: "crowded";
      until: number;
      message: string;
      next: HubPosition | undefined;
      pages: number;
    }
  | { kind: "failed"; message: string; retryAt?: number };

type Scan = {
  position: Position;
  from: HubPosition | undefined;
  /** Whether a scan of `pages` pages with `fresh` new events is the last one. */
  finishes: (fresh: number, pages: number) => boolean;
};

/** Reads page after page and commits each; the cursor moves with the last one. */
async function scanPages(
  poll: PollState,
  request: HubRequest,
  reading: Reading,
  report: ResourceReport,
  scan: Scan,
): Promise<ScanOutcome> {
  const seen = new Set<string>();
  const dates: number[] = [];
  let next = scan.from;
  let fresh = 0;
  let candidates = 0;
  for (let pages = 1; ; pages += 1) {
    const page: HubPage = await listRecords(
      poll.instance,
      request.resource,
      { ...request, ...(next === undefined ? {} : { position: next }) },
      poll.doors,
    );
    if (page.kind === "crowded")
      return { ...page, next: pages === 1 ? undefined : next, pages: pages - 1 };
    if (page.kind !== "page") return failureOf(page);
    report.fetched += page.records.length;
    const {
      events,
      undated,
      candidates: inside,
      dates: pageDates,
    } = readPage(page.records, reading);
    dates.push(...pageDates);
    candidates += inside;
    const known =
      undated.length === 0 ? {} : await poll.stream.readState(undated.map(({ key }) => key));
    const hashed = readUndated(undated, known, reading);
    const all = await wantedBy(poll.instance, [...events, ...hashed.events]);
    const oldReached =
      !reading.templated && newestFirst(dates) && (dates.at(-1) ?? Infinity) <= reading.after;
    const last = page.next === null || oldReached;
    const changed = all.length > 0 || hashed.state.length > 0;
    const work: Commit = {
      ...base(poll),
      events: all,
      targets: [targetOf(poll.instance, reading.resource.resource, reading.startedAt)],
      state: hashed.state,
    };
    if (!last && changed) fresh += await commitPage(poll, work, report);
    if (last)
      return finish(poll, reading, report, scan, work, { fresh, candidates, pages, changed });
    const key = JSON.stringify(page.next);
    if (page.next === null || seen.has(key))
      return { kind: "failed", message: "The vendor's pages go round in a circle" };
    seen.add(key);
    next = page.next;
    if (pages >= PAGES_A_RUN) return { kind: "budget", next };
  }
}

/** The last page: its events and the cursor in one commit, or nothing at all when nothing was there. */
async function finish(
  poll: PollState,
  reading: Reading,
  report: ResourceReport,
  scan: Scan,
  work: Commit,
  seen: { fresh: number; candidates: number; pages: number; changed: boolean },
): Promise<ScanOutcome> {
  const { position } = scan;
  const idle = seen.candidates === 0 && !seen.changed && seen.fresh === 0;
  const settled =
    position.failures === 0 && position.scan === undefined && poll.cursor.notBefore === undefined;
  // Without a template the first poll is what later ones are compared with: that it happened is written down.
  const baselineMade = !reading.firstPoll || reading.templated;
  if (idle) poll.idleAt.set(reading.resource.resource, reading.startedAt);
  if (idle && settled && baselineMade) return { kind: "done" };
  if (!scan.finishes(seen.fresh + work.events.length, seen.pages)) {
    const fresh = seen.changed ? await commitPage(poll, work, report) : 0;
    if (fresh + seen.fresh > 0) return { kind: "again" };
    work.events = [];
    work.state = [];
  }
  const { rule, floor, snapshotAt, deletionsTo } = position;
  const moved: Position = {
    failures: 0,
    last: idle && baselineMade ? position.last : reading.startedAt,
    ...(rule === undefined ? {} : { rule }),
    ...(floor === undefined ? {} : { floor }),
    ...(snapshotAt === undefined ? {} : { snapshotAt }),
    ...(deletionsTo === undefined ? {} : { deletionsTo }),
  };
  const resources = { ...poll.cursor.resources, [reading.resource.resource]: moved };
  poll.cursor = { resources };
  await commitPage(poll, { ...work, ...cursorOf(poll) }, report);
  return { kind: "done" };
}

function failureOf(page: Exclude<HubPage, { kind: "page" | "crowded" }>): ScanOutcome {
  switch (page.kind) {
    case "vendor-error": {
      const asks = page.limited === true || page.status === 429 || page.status === 503;
      const postponed = asks && page.retryAt !== undefined;
      return {
        kind: "failed",
        message: page.message,
        ...(postponed && page.retryAt !== undefined ? { retryAt: page.retryAt } : {}),
      };
    }
    case "bad-request":
    case "unreachable":
    case "unauthorized":
      return { kind: "failed", message: page.message };
  }
}

/** A backlog larger than one run: the place is kept, and the next run follows at once. */
async function continueLater(
  poll: PollState,
  resource: string,
  position: Position,
): Promise<boolean> {
  const message = { ids: [poll.instance.id], again: true };
  const wake = { at: Date.now() + 60_000, message: JSON.stringify(message) };
  await keepPlace(poll, resource, position, wake);
  await poll.doors.polls.send(message);
  return false;
}

/** Writes down where a scan stands; what it read so far is committed. */
async function keepPlace(
  poll: PollState,
  resource: string,
  position: Position,
  wake?: NonNullable<Commit["wake"]>,
): Promise<void> {
  poll.cursor = { ...poll.cursor, resources: { ...poll.cursor.resources, [resource]: position } };
  const work = { ...base(poll), ...cursorOf(poll), events: [], targets: [] };
  await commitPage(poll, wake === undefined ? work : { ...work, wake }, emptyReport(resource));
}
