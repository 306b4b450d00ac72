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
  type PollDoors,
  type PollState,
  type Stream,
  Superseded,
} from "./commit.io";
import { pollResource } from "./poll-resource.io";
import { isStreamFeed, mayBeWoken, polledResources, whyNotPolled } from "./settings";
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
  /** Polls these resources only; undefined: all. */
  only: readonly string[] | undefined;
  slots: RateSlots | undefined;
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
  const reports: ResourceReport[] = [];
  let left: string[] | undefined;
  const renewing = setInterval(() => {
    request.onAlive();
    void poll.stream.renew(poll.lease).catch(() => undefined);
  }, RENEW_EVERY_MS);
  try {
    left = await pollRequested(poll, settings.resources, request, reports);
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    reports.push({ ...emptyReport("*"), error: "Another poll of this instance was faster" });
  } finally {
    clearInterval(renewing);
    await endPoll(poll, request, startedAt);
  }
  return poll.crowdedUntil === undefined
    ? { kind: "polled", pollDate: startedAt, resources: reports }
    : { kind: "crowded", until: poll.crowdedUntil, left };
}

type OpenedPoll =
  | { kind: "opened"; poll: PollState; startedAt: number }
  | Extract<PollReport, { kind: "busy" | "postponed" }>;

/** Takes the lease on the source and reads its cursor. */
async function openPoll(
  instance: Instance,
  resources: readonly PolledResource[],
  doors: PollDoors,
  request: PollRequest,
): Promise<OpenedPoll> {
  const { trigger, slots, holder } = request;
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
    doors: { ...doors, slots },
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
  if (trigger === "person" || notBefore <= startedAt) return { kind: "opened", poll, startedAt };
  await endPoll(poll, request, startedAt);
  return { kind: "postponed", until: notBefore };
}

/**
 * Counts a poll, and gives the lease back for which another isolate may come before it ends: a woken poll, the rest of
 * this one, somebody's who waits. An idle poll of the schedule spares this request where nothing but the schedule ever asks.
 */
async function endPoll(
  poll: PollState,
  { trigger }: Pick<PollRequest, "trigger">,
  startedAt: number,
): Promise<void> {
  const isAlone = trigger === "schedule" && poll.crowdedUntil === undefined;
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
    await commitWork(poll, { ...underLease(poll), state, events: [], targets: [] });
  }
  return left;
}

async function readTouched(stream: Stream): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of statePages(stream, TOUCHED)) keys.push(...page.map(({ key }) => key));
  return keys;
}

/**
 * Polls in three stages: a feed of the whole account, a bulk feed of many resources, the other resources' lists.
 * @returns the names of the resources left, when the rate budget had no room for them.
 */
async function pollAll(
  poll: PollState,
  resources: readonly PolledResource[],
  reports: ResourceReport[],
): Promise<string[] | undefined> {
  const left = (from: readonly PolledResource[]) =>
    poll.crowdedUntil === undefined ? undefined : from.map(({ resource }) => resource);
  if (isStreamFeed(poll.instance.connector)) {
    const report = emptyReport("feed");
    reports.push(report);
    if (!(await pollFeed(poll, report))) return left(resources);
  }
  const listed = await pollBulk(poll, resources, reports);
  if (poll.crowdedUntil !== undefined) return left(resources);
  for (const [index, resource] of listed.entries()) {
    const report = emptyReport(resource.resource);
    reports.push(report);
    if (!(await pollResource(poll, resource, report))) return left(listed.slice(index));
    if (report.error === null) await pollSnapshot(poll, resource, report);
    if (report.error === null) await pollDeletions(poll, resource, report);
  }
  return undefined;
}
