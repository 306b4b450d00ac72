import type { FeedCall } from "../../connectors/feed";
import type { NewEvent } from "../../stream/event";
import { callVendor, type HubFailure } from "../../hub/records.client";
import { type FeedPosition, positionOf, sinceEnabled } from "../cursor";
import { MOST_PAGES, type ResourceReport } from "../report";
import {
  base,
  commitPage,
  cursorOf,
  fail,
  postpone,
  type PollState,
  targetOf,
  wantedBy,
} from "../commit.io";

/** The steps that all feeds are read by: ask, move on, rest, fail. */

/** Under this name the failures of a feed are counted. */
export const FEED = "feed";

export type Answered = { kind: "json"; value: unknown } | HubFailure;

export function ask(poll: PollState, call: FeedCall): Promise<Answered> {
  return callVendor(poll.instance, call, poll.doors);
}

export const unreadable: HubFailure = {
  kind: "unreachable",
  message: "The answer is none of this feed's",
};

export const roundInACircle: HubFailure = {
  kind: "unreachable",
  message: "The vendor's pages go round in a circle",
};

/** @returns false: the poll ends here. */
export async function failed(
  poll: PollState,
  failure: HubFailure,
  report: ResourceReport,
): Promise<boolean> {
  if (failure.kind === "crowded") {
    poll.crowdedUntil = failure.until;
    report.error = failure.message;
    return false;
  }
  const told =
    failure.kind === "vendor-error" && failure.providerMessage !== ""
      ? `${failure.message}: ${failure.providerMessage}`
      : failure.message;
  if (failure.kind === "vendor-error" && failure.retryAt !== undefined)
    if (failure.limited === true || failure.status === 429 || failure.status === 503)
      return postpone(poll, report, told, failure.retryAt);
  const position = sinceEnabled(positionOf(poll.cursor, FEED), poll.instance.enabledAt);
  return fail(poll, FEED, position, report, told);
}

/** A feed that gives page after page without an end: read on from there by the next poll. */
export function endless(poll: PollState, report: ResourceReport): Promise<boolean> {
  const { feed } = poll.cursor;
  if (feed !== undefined) poll.cursor = { ...poll.cursor, feed: { ...feed, pages: 0 } };
  const message = `The feed does not end after ${MOST_PAGES} pages`;
  return failed(poll, { kind: "unreachable", message }, report);
}

/** Moves the feed: its events, the index and the position in one commit. */
export async function move(
  poll: PollState,
  feed: FeedPosition,
  work: { events: NewEvent[]; state: { key: string; value: string | null }[] },
  report: ResourceReport,
  startedAt: number,
): Promise<void> {
  const { notBefore: _over, ...cursor } = poll.cursor;
  const resources = { ...cursor.resources, [FEED]: { failures: 0, last: startedAt } };
  poll.cursor = { ...cursor, resources, feed };
  const types = [...new Set(work.events.map(({ objectType }) => objectType))];
  const found = work.events.map((event): NewEvent => ({
    ...event,
    to: [types.indexOf(event.objectType)],
  }));
  const events = await wantedBy(poll.instance, found);
  const targets = types.map((type) => targetOf(poll.instance, type, startedAt));
  await commitPage(poll, { ...base(poll), ...cursorOf(poll), ...work, events, targets }, report);
}

/** Nothing new: only failures that are over are written down. */
export async function rest(
  poll: PollState,
  feed: FeedPosition,
  report: ResourceReport,
): Promise<boolean> {
  const { failures } = positionOf(poll.cursor, FEED);
  if (failures > 0 || poll.cursor.notBefore !== undefined)
    await move(poll, feed, { events: [], state: [] }, report, Date.now());
  return true;
}

/** More than one run can read: the rest follows at once. */
export async function goOn(poll: PollState): Promise<boolean> {
  await poll.doors.polls.send({ ids: [poll.instance.id], wake: true });
  return true;
}
