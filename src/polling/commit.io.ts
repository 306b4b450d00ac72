import { keptFor } from "../accounts/tenants/tenant";
import type { Config } from "../config";
import { IDLE_POLLS } from "../metering/rollup";
import { count } from "../metering/counter.io";
import type { Commit } from "../stream/event";
import type { PollsQueue } from "../stream/polls-queue.io";
import { announceEvent } from "../stream/announce.io";
import type { RateSlots } from "../hub/budget/limit";
import type { Instance } from "../instances/instance";
import { findTriggers } from "../instances/heard.store";
import { disablePoller } from "../instances/store";
import { callbacks, flowsOf, originOf, type Packing } from "../instances/subscriptions";
import { type Cursor, keepIdsSince, type Position, storedCursor, withQuietMoved } from "./cursor";
import type { PollCourse } from "./course";
import { ingest, type Happening } from "../subscriptions/ingest.io";
import type { Millis } from "../values/instant";
import { FAILURES_TO_DISABLE, MOST_POSTPONED_MS } from "./limits";
import { countAccepted, type ResourceReport } from "./report";

export type PollDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  polls: PollsQueue;
  slowPolls: PollsQueue;
  budgets: Env["VENDOR_BUDGETS"];
  config: Config;
};

export type Stream = ReturnType<PollDoors["streams"]["getByName"]>;

/** The state of one poll while it goes through its resources. */
export type PollState = {
  instance: Instance;
  doors: PollDoors & { slots: RateSlots | undefined; course: PollCourse };
  stream: Stream;
  source: string;
  lease: string;
  version: number;
  cursor: Cursor;
  lookBackMs: number;
  committed: boolean;
  /** Resources in which this poll found no change, and when it read them. */
  idleAt: Map<string, number>;
  /** The rate budget had no room: the rest of this poll is made at this instant. */
  crowdedUntil: number | undefined;
};

/** A commit that came too late: another poll moved the cursor. */
export class Superseded extends Error {}

/** What a poll commits; `pollDate`: when it read what it tells (absent: now). */
export type Work = Happening["commit"] & { pollDate?: Millis };

/** @returns how many of its events the stream had not seen. */
export async function commitPage(
  poll: PollState,
  work: Work,
  report: ResourceReport,
): Promise<number> {
  const accepted = await commitWork(poll, work);
  countAccepted(report, work.events, accepted);
  return accepted.length;
}

/** @returns the ids of the events that the stream had not seen. */
export async function commitWork(
  poll: PollState,
  { pollDate = Date.now(), ...work }: Work,
): Promise<string[]> {
  const { doors, instance, source } = poll;
  const { organizationId } = instance;
  poll.committed = true;
  const until = instance.pollsUntil ?? Infinity;
  const events = work.events.filter(({ date }) => date <= until);
  const committed = await ingest(doors, {
    organizationId,
    source,
    commit: { ...work, events, expect: poll.version },
    keptFor: keptFor(instance.tenant),
    origin: originOf(instance),
    own: async () => [
      ...callbacks(instance, polledAt(pollDate)),
      ...flowsOf(instance, await findTriggers(doors.db, instance)),
    ],
  });
  if (committed.kind === "stale") throw new Superseded();
  poll.version = committed.version;
  return committed.accepted;
}

/**
 * Counts a poll: under its source when it committed something, for then the source's own line of the usage
 * is written anyway. The idle polls of an organization are counted together, under no source: a row for each
 * of 100,000 idle instances every five minutes would cost more than the polls themselves.
 * @param objectRequests that opened the poll and gave back its lease.
 */
export function countPoll(
  poll: Pick<PollState, "instance" | "source" | "committed">,
  now: number,
  objectRequests: number,
): void {
  const { instance, source, committed } = poll;
  const { organizationId } = instance;
  const key = { organizationId, source: committed ? source : IDLE_POLLS, destinationId: "" };
  count(key, { polls: 1, objectRequests }, now);
}

/** Tells the organization's operators what happened to one of its instances. */
export async function announce(
  { instance: { id, organizationId }, doors }: PollState,
  type: "poller.disabled",
  data: Record<string, unknown>,
): Promise<void> {
  await announceEvent(doors, organizationId, {
    type,
    subject: String(id),
    data: { instanceId: id, ...data },
  });
}

const polledAt =
  (pollDate: Millis) =>
  (objectType: string): Packing => ({ most: 10, polled: { objectType, pollDate } });

/** What lets the stream refuse a commit of this poll: another one holds the lease now, or has moved the cursor. */
export function underLease(poll: PollState): Pick<Commit, "lease" | "expect"> {
  return { lease: poll.lease, expect: poll.version };
}

export function cursorOf(poll: PollState): Pick<Commit, "cursor" | "keepIdsSince"> {
  poll.cursor = withQuietMoved(poll.cursor, poll.idleAt);
  return {
    cursor: storedCursor.write(poll.cursor),
    keepIdsSince: keepIdsSince(poll.cursor.resources, poll.instance.baseline, poll.lookBackMs),
  };
}

/** One more failure of this resource in a row; the poller is switched off at the hundredth. */
export async function fail(
  poll: PollState,
  resource: string,
  position: Position,
  report: ResourceReport,
  message: string,
): Promise<boolean> {
  report.error = message;
  const failures = position.failures + 1;
  const failed: Position = {
    ...position,
    failures,
    failedAt: Date.now(),
    lastError: message.slice(0, 500),
  };
  poll.cursor = { ...poll.cursor, resources: { ...poll.cursor.resources, [resource]: failed } };
  await commitPage(poll, { ...underLease(poll), ...cursorOf(poll), events: [] }, report);
  if (failures < FAILURES_TO_DISABLE) return true;
  await disablePoller(poll.doors.db, poll.instance.id, {
    resource,
    failureCount: failures,
    disabledDate: Date.now(),
    lastError: message.slice(0, 500),
  });
  await announce(poll, "poller.disabled", {
    resource,
    failureCount: failures,
    lastError: message.slice(0, 500),
  });
  return false;
}

/** The vendor asked this instance to wait: it is not polled before `until`, or for a day at most. */
export async function postpone(
  poll: PollState,
  report: ResourceReport,
  message: string,
  until: number,
): Promise<boolean> {
  report.error = message;
  poll.cursor = { ...poll.cursor, notBefore: Math.min(until, Date.now() + MOST_POSTPONED_MS) };
  await commitPage(poll, { ...underLease(poll), ...cursorOf(poll), events: [] }, report);
  return false;
}
