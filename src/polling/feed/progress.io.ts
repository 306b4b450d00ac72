import type { FeedCall } from "../../connectors/feed";
import { sendPolls } from "../../stream/polls-queue.io";
import type { Happened } from "../../stream/event";
import { callVendor, type HubFailure } from "../../hub/records.client";
import { type FeedPosition, positionOf, sinceEnabled } from "../cursor";
import { MOST_PAGES, PAGES_PER_POLL } from "../limits";
import type { ResourceReport } from "../report";
import { failureText } from "../../hub/answer";
import { askedToWaitUntil } from "../vendor-refusal";
import { underLease, commitPage, cursorOf, fail, type PollState, postpone } from "../commit.io";

/**
 * What log and tree feeds have in common. A feed is read page by page from the position in the cursor; each page is
 * committed together with the position after it, so a poll that is cut off loses nothing and repeats nothing.
 */

/** The name under which the cursor counts a feed's failures in a row. */
export const FEED = "feed";

export function askFeed(
  poll: PollState,
  call: FeedCall,
): Promise<{ kind: "json"; value: unknown } | HubFailure> {
  return callVendor(poll.instance, call, poll.doors);
}

export const UNREADABLE: HubFailure = {
  kind: "unreachable",
  message: "The answer is none of this feed's",
};

export const CIRCLE: HubFailure = {
  kind: "unreachable",
  message: "The vendor's pages go round in a circle",
};

/** Ends the poll: no room in the rate budget, the vendor asks to wait, or one more failure. @returns false. */
export async function failFeed(
  poll: PollState,
  failure: HubFailure,
  report: ResourceReport,
): Promise<boolean> {
  if (failure.kind === "crowded") {
    poll.crowdedUntil = failure.until;
    report.error = failure.message;
    return false;
  }
  const message = failureText(failure);
  const until = askedToWaitUntil(failure);
  if (until !== undefined) return postpone(poll, report, message, until);
  const position = sinceEnabled(positionOf(poll.cursor, FEED), poll.instance.enabledAt);
  return fail(poll, FEED, position, report, message);
}

/**
 * The poll stops between two pages: no room in the rate budget, or none left of its message.
 * @param pages that polls which followed each other at once have read.
 */
export async function pauseFeed(
  poll: PollState,
  failure: Extract<HubFailure, { kind: "crowded" }>,
  report: ResourceReport,
  pages: number,
): Promise<boolean> {
  if (pages >= MOST_PAGES) return failEndless(poll, report);
  const { feed } = poll.cursor;
  if (feed !== undefined && pages > feed.pages)
    await commitFeed(poll, { ...feed, pages }, { events: [], state: [] }, report, Date.now());
  return failFeed(poll, failure, report);
}

async function failEndless(poll: PollState, report: ResourceReport): Promise<boolean> {
  const { feed } = poll.cursor;
  if (feed !== undefined) poll.cursor = { ...poll.cursor, feed: { ...feed, pages: 0 } };
  const message = `The feed does not end after ${MOST_PAGES} pages`;
  return failFeed(poll, { kind: "unreachable", message }, report);
}

/** Commits the events of a page, what the index becomes, and the position after it. */
export async function commitFeed(
  poll: PollState,
  feed: FeedPosition,
  work: { events: Happened[]; state: { key: string; value: string | null }[] },
  report: ResourceReport,
  startedAt: number,
): Promise<void> {
  const { notBefore: _over, ...cursor } = poll.cursor;
  const resources = { ...cursor.resources, [FEED]: { failures: 0, last: startedAt } };
  poll.cursor = { ...cursor, resources, feed };
  await commitPage(
    poll,
    { ...underLease(poll), ...cursorOf(poll), ...work, pollDate: startedAt },
    report,
  );
}

/** Nothing is new: a write is only needed to clear earlier failures, or the vendor's wish to wait. @returns true. */
export async function endIdleFeed(
  poll: PollState,
  feed: FeedPosition,
  report: ResourceReport,
): Promise<boolean> {
  const { failures } = positionOf(poll.cursor, FEED);
  const isGoingOn = (poll.cursor.feed?.pages ?? 0) > 0;
  if (failures > 0 || poll.cursor.notBefore !== undefined || isGoingOn)
    await commitFeed(poll, { ...feed, pages: 0 }, { events: [], state: [] }, report, Date.now());
  return true;
}

/**
 * The poll has read as many pages as it may: another one goes on at once. A feed that still has no end after many such
 * polls has failed; the scheduled poll then reads on from where this one stopped.
 */
export async function goOnLater(
  poll: PollState,
  pagesBefore: number,
  report: ResourceReport,
): Promise<boolean> {
  if (pagesBefore + PAGES_PER_POLL < MOST_PAGES) {
    await sendPolls(poll.doors.slowPolls, [{ ids: [poll.instance.id], wake: true }]);
    return true;
  }
  return failEndless(poll, report);
}
