import { isStreamFeed } from "../connectors/parsers";
import type { Commit } from "../stream/event";
import { instanceSource, streamName } from "../stream/stream-name";
import type { RateSlots } from "../hub/budget/limit";
import type { Instance } from "../instances/instance";
import { TOUCHED } from "../instances/touched";
import type { PolledResource } from "./polled-resource";
import { longestLookBackMs, readCursor } from "./cursor";
import { pollDeletions } from "./deletions/poll-deletions.io";
import { pollBulk } from "./feed/poll-bulk.io";
import { pollFeed } from "./feed/poll-feed.io";
import { emptyReport, type PollReport, type ResourceReport } from "./report";
import {
  underLease,
  commitWork,
  countPoll,
  cursorOf,
  type PollDoors,
  type PollState,
  type Stream,
  Superseded,
} from "./commit.io";
import { pollResource } from "./poll-resource.io";
import { PollCourse } from "./course";
import type { Ration } from "./pacing/ration";
import { afterSilence, type Lane, turnOf } from "./unreachable";
import { mayBeWoken, polledResources, whyNotPolled } from "./settings";
import { statePages } from "./state-pages.io";
import { pollSnapshot } from "./snapshot/take-snapshot.io";
import { touchedResources } from "./touched";

/**
 * One poll: open the source's stream, poll, release the lease. The cursor that the stream returns is opaque to it; only
 * polls write it, and the stream refuses a commit if another poll has moved the cursor since (`Superseded`).
 */

/** The lease on a source lasts 20 s; a poll renews it this often. */
export const RENEW_EVERY_MS = 8_000;

export type PollRequest = {
  /**
   * Why this poll is made. `schedule`: the instance's slot has come. `wake`: a webhook, or an earlier poll that could
   * not be finished. `person`: somebody waits for the answer, so it is made although the vendor asked to wait.
   */
  trigger: "schedule" | "wake" | "person";
  /** It is the rest of an earlier poll, or was put off before: unlike one of the schedule it may have no next slot. */
  isAgain: boolean;
  /** Polls these resources only; undefined: all. */
  only: readonly string[] | undefined;
  slots: RateSlots | undefined;
  /** What the message has left, and the lane it came by; undefined: no message asked for it. */
  ration: Ration | undefined;
  lane: Lane | undefined;
  /** This isolate, as the holder of the lease (`running-polls.io.ts`). */
  holder: string;
  /** Called now and then while the poll runs. */
  onAlive: () => void;
};

/** Polls an instance: its feed, then its resources one by one (reference connector-events-api.md §5). */
export async function pollInstance(
  instance: Instance,
  doors: PollDoors,
  request: PollRequest,
): Promise<PollReport> {
  const settings = polledResources(instance);
  if (!settings.ok) return { kind: "not-polled", reason: settings.message };
  const reason = whyNotPolled(instance, request.trigger);
  if (reason !== undefined) return { kind: "not-polled", reason };
  const opened = await openPoll(instance, settings.resources, doors, request);
  if (opened.kind !== "opened") return opened;
  const { poll, startedAt } = opened;
  const { course } = poll.doors;
  const reports: ResourceReport[] = [];
  let left: string[] | undefined;
  const renewing = setInterval(() => {
    request.onAlive();
    void poll.stream.renew(poll.lease).catch(() => undefined);
  }, RENEW_EVERY_MS);
  try {
    left = await pollRequested(poll, settings.resources, request, reports);
    await noteReach(poll, request);
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    reports.push({ ...emptyReport("*"), error: "Another poll of this instance was faster" });
  } finally {
    clearInterval(renewing);
    course.letGo();
    await endPoll(poll, request, startedAt, poll.crowdedUntil !== undefined);
  }
  if (course.isCut) return { kind: "cut", left, isBegun: course.isAnswered };
  return poll.crowdedUntil === undefined
    ? { kind: "polled", pollDate: startedAt, resources: reports }
    : { kind: "crowded", until: poll.crowdedUntil, left };
}

type OpenedPoll =
  | { kind: "opened"; poll: PollState; startedAt: number }
  | Extract<PollReport, { kind: "busy" | "postponed" | "unreachable" }>;

/** Takes the lease on the source and reads its cursor. */
async function openPoll(
  instance: Instance,
  resources: readonly PolledResource[],
  doors: PollDoors,
  request: PollRequest,
): Promise<OpenedPoll> {
  const { trigger, slots, ration, lane, holder } = request;
  const { id, organizationId } = instance;
  const source = instanceSource(id);
  const stream = doors.streams.getByName(streamName({ organizationId, source }));
  const opened = await stream.open({ holder });
  if (opened.kind === "busy") return opened;
  const startedAt = Date.now();
  const cursor = readCursor(opened.cursor);
  const { notBefore = 0 } = cursor;
  const poll: PollState = {
    instance,
    doors: { ...doors, slots, course: new PollCourse(ration) },
    stream,
    source,
    lease: opened.lease,
    version: opened.version,
    cursor,
    lookBackMs: longestLookBackMs(resources),
    committed: false,
    idleAt: new Map(),
    crowdedUntil: undefined,
  };
  const turn = turnOf(cursor.unreachable, lane, startedAt);
  const isPostponed = trigger !== "person" && notBefore > startedAt;
  if (turn === "now" && !isPostponed) return { kind: "opened", poll, startedAt };
  if (turn === "later") await leaveAlone(poll, request);
  await endPoll(poll, request, startedAt, turn === "slow-lane");
  return turn === "now" ? { kind: "postponed", until: notBefore } : { kind: "unreachable", turn };
}

/** Leaves a vendor alone that gives no answer. What somebody asked for meanwhile is kept in the stream. */
async function leaveAlone(poll: PollState, request: PollRequest): Promise<void> {
  const asked = askedAgain(poll, request);
  if (asked.wake !== undefined)
    await commitWork(poll, { ...underLease(poll), ...asked, events: [] });
}

/**
 * A poll that a webhook, or an unfinished poll, asked for while the vendor gives no answer: the stream asks for it again
 * when the vendor is tried next. However many ask, one poll is made then.
 */
function askedAgain(poll: PollState, { trigger, isAgain }: PollRequest): Pick<Commit, "wake"> {
  const { unreachable } = poll.cursor;
  if (unreachable === undefined || trigger === "person" || (trigger === "schedule" && !isAgain))
    return {};
  const message = { ids: [poll.instance.id], wake: trigger === "wake", again: true };
  return { wake: { at: unreachable.nextAt, message } };
}

/** Writes down since when the vendor gives no answer, or that it does again. */
async function noteReach(poll: PollState, request: PollRequest): Promise<void> {
  const { silence, isAnswered } = poll.doors.course;
  const { unreachable, ...cursor } = poll.cursor;
  if (silence === undefined && (unreachable === undefined || !isAnswered)) return;
  poll.cursor =
    silence === undefined
      ? cursor
      : { ...cursor, unreachable: afterSilence(unreachable, silence, Date.now(), Math.random()) };
  const work = { ...underLease(poll), ...cursorOf(poll), events: [] };
  await commitWork(poll, { ...work, ...askedAgain(poll, request) });
}

/**
 * Counts a poll, and gives the lease back for which another isolate may come before it ends: a woken poll, the rest of
 * this one (`isUnfinished`), somebody's who waits. An idle poll of the schedule spares this request where nothing but the
 * schedule ever asks.
 */
async function endPoll(
  poll: PollState,
  { trigger }: Pick<PollRequest, "trigger">,
  startedAt: number,
  isUnfinished: boolean,
): Promise<void> {
  const isAlone = trigger === "schedule" && !isUnfinished;
  const isKept = isAlone && !poll.committed && !mayBeWoken(poll.instance);
  countPoll(poll, startedAt, isKept ? 1 : 2);
  if (!isKept) await poll.stream.release(poll.lease).catch(() => undefined);
}

/**
 * A webhook that says only which kind of object has changed leaves a key in the stream's state and wakes a poll. The
 * woken poll reads the resources of those keys, and removes the keys when all went well; a scheduled poll reads
 * everything.
 * @returns the names of the resources left, when the rate budget had no room for them.
 */
async function pollRequested(
  poll: PollState,
  resources: readonly PolledResource[],
  { trigger, only }: PollRequest,
  reports: ResourceReport[],
): Promise<string[] | undefined> {
  const { connector } = poll.instance;
  const isByKeys = trigger === "wake" && only === undefined && !isStreamFeed(connector);
  const touched = isByKeys ? await readTouched(poll.stream) : [];
  const requested = resources.filter(({ resource }) => only?.includes(resource) ?? true);
  const chosen = touched.length === 0 ? requested : touchedResources(connector, requested, touched);
  const left = await pollAll(poll, chosen, reports);
  const wentWell = left === undefined && reports.every(({ error }) => error === null);
  if (touched.length > 0 && wentWell) {
    const state = touched.map((key) => ({ key, value: null }));
    await commitWork(poll, { ...underLease(poll), state, events: [] });
  }
  return left;
}

async function readTouched(stream: Stream): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of statePages(stream, TOUCHED)) keys.push(...page.map(({ key }) => key));
  return keys;
}

/**
 * Polls in three stages: a feed of the whole account, a bulk feed of many resources, the other resources' lists. It stops
 * where the vendor gives no answer: each further resource would wait as long.
 * @returns the names of the resources left, when the rate budget, or the message, had no room for them.
 */
async function pollAll(
  poll: PollState,
  resources: readonly PolledResource[],
  reports: ResourceReport[],
): Promise<string[] | undefined> {
  const { course } = poll.doors;
  const left = (from: readonly PolledResource[]) =>
    poll.crowdedUntil === undefined ? undefined : from.map(({ resource }) => resource);
  if (isStreamFeed(poll.instance.connector)) {
    const report = emptyReport("feed");
    reports.push(report);
    if (!(await pollFeed(poll, report))) return left(resources);
  }
  if (course.silence !== undefined) return undefined;
  const listed = await pollBulk(poll, resources, reports);
  if (poll.crowdedUntil !== undefined) return left(resources);
  for (const [index, resource] of listed.entries()) {
    if (course.silence !== undefined) return undefined;
    const report = emptyReport(resource.resource);
    reports.push(report);
    if (!(await pollResource(poll, resource, report))) return left(listed.slice(index));
    if (report.error === null && resource.deletion !== undefined) {
      if (!course.mayAsk(Date.now())) return leave(poll, listed.slice(index));
      await readWhole(poll, resource, report);
    }
  }
  return undefined;
}

/** The rest of a poll is made by another one, at once. */
function leave(poll: PollState, from: readonly PolledResource[]): string[] {
  poll.crowdedUntil = Date.now();
  return from.map(({ resource }) => resource);
}

/** Deletions are found by comparing whole lists: what was begun may be read to its end. */
async function readWhole(
  poll: PollState,
  resource: PolledResource,
  report: ResourceReport,
): Promise<void> {
  const { course } = poll.doors;
  course.isWhole = true;
  await pollSnapshot(poll, resource, report);
  if (report.error === null) await pollDeletions(poll, resource, report);
  course.isWhole = false;
}
