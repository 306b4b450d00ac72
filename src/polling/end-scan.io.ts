import type { Commit } from "../stream/event";
import { sendPolls } from "../stream/polls-queue.io";
import { durable, type Position as HubPosition } from "../hub/position";
import { type Census, countOf } from "./census";
import { commitPage, cursorOf, fail, type PollState, postpone, underLease } from "./commit.io";
import type { Position } from "./cursor";
import { MOST_PAGES } from "./limits";
import type { PollPlan } from "./plan";
import { emptyReport, type ResourceReport } from "./report";

/** How the reading of a list ended. */
export type ScanOutcome =
  | { kind: "done" }
  /** The list may have shifted while it was read. */
  | { kind: "again" }
  /** It was read as often as it may be, and its records don't add up. */
  | { kind: "incomplete"; message: string }
  /** As many pages as one poll may read: `next` is the one to go on with. */
  | { kind: "page-limit"; next: HubPosition; pages: number }
  /** No room in the rate budget after `pages` pages; `next` is absent when the first one was not read. */
  | {
      kind: "crowded";
      until: number;
      message: string;
      next: HubPosition | undefined;
      pages: number;
    }
  | { kind: "failed"; message: string; waitUntil?: number | undefined };

/** Writes down how far the list was read. @returns whether the poll goes on with the next resource. */
export async function endScan(
  poll: PollState,
  { position, reading, pages: pagesBefore }: PollPlan,
  report: ResourceReport,
  outcome: Exclude<ScanOutcome, { kind: "again" }>,
  census: Census,
): Promise<boolean> {
  const name = reading.resource.resource;
  const { startedAt, after } = reading;
  switch (outcome.kind) {
    case "done":
      return true;
    case "incomplete":
      report.error = `incomplete: ${outcome.message}`;
      await noteIncomplete(poll, name, position, report.error);
      return true;
    case "failed":
      return outcome.waitUntil === undefined
        ? fail(poll, name, position, report, outcome.message)
        : postpone(poll, report, outcome.message, outcome.waitUntil);
    case "crowded":
    case "page-limit": {
      const pages = pagesBefore + outcome.pages;
      if (pages >= MOST_PAGES) {
        const { scan: _endless, ...rest } = position;
        const message = `The list does not end after ${MOST_PAGES} pages`;
        return fail(poll, name, rest, report, message);
      }
      const { next } = outcome;
      const scan = next && {
        startedAt,
        movedAt: Date.now(),
        after,
        position: durable(next),
        pages,
        records: countOf(census),
      };
      if (outcome.kind === "page-limit")
        await goOnAtOnce(poll, name, { ...position, ...(scan && { scan }) });
      else {
        poll.crowdedUntil = outcome.until;
        report.error = outcome.message;
        if (scan !== undefined) await keepPlace(poll, name, { ...position, scan });
      }
      return false;
    }
  }
}

/** The cursor stays where it is, so the next poll reads all of this again; it is no failure of the vendor's. */
async function noteIncomplete(
  poll: PollState,
  resource: string,
  { scan: _read, ...position }: Position,
  message: string,
): Promise<void> {
  if (position.lastError === message) return;
  await keepPlace(poll, resource, { ...position, lastError: message });
}

/** Another poll reads the rest now. Its message is kept as a wake too, in case the queue loses it. */
async function goOnAtOnce(poll: PollState, resource: string, position: Position): Promise<void> {
  const message = { ids: [poll.instance.id], again: true };
  const wake = { at: Date.now() + 60_000, message };
  await keepPlace(poll, resource, position, wake);
  await sendPolls(poll.doors.slowPolls, [message]);
}

/** Stores where the scan stopped; the changes it found until there are committed already. */
async function keepPlace(
  poll: PollState,
  resource: string,
  position: Position,
  wake?: NonNullable<Commit["wake"]>,
): Promise<void> {
  poll.cursor = { ...poll.cursor, resources: { ...poll.cursor.resources, [resource]: position } };
  const work = { ...underLease(poll), ...cursorOf(poll), events: [] };
  await commitPage(poll, wake === undefined ? work : { ...work, wake }, emptyReport(resource));
}
