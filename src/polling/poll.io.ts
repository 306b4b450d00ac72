import { instanceSource, streamName } from "../stream/stream-name";
import { eventSettings } from "../instances/configuration";
import type { RateSlots } from "../hub/budget/limit";
import type { Instance } from "../instances/instance";
import { TOUCHED } from "../instances/touched";
import type { PolledResource } from "./polled-resource";
import { readCursor } from "./cursor";
import { pollDeletions } from "./deletions/poll-deletions.io";
import { pollBulk } from "./feed/poll-bulk.io";
import { pollFeed } from "./feed/poll-feed.io";
import { emptyReport, type PollReport, type ResourceReport } from "./report";
import {
  base,
  commitWork,
  countPoll,
  type PollDoors,
  type PollState,
  type Stream,
  Superseded,
} from "./commit.io";
import { pollResource } from "./poll-resource.io";
import { isFeedRead, isStreamFeed, polledResources } from "./settings";
import { pollSnapshot } from "./snapshot/take-snapshot.io";
import { touchedResources } from "./touched";

export const RENEW_EVERY_MS = 8_000;
/** A poll that gives no sign of life for this long was cut off with its request: it never settles. */
export const ALIVE_MS = 3 * RENEW_EVERY_MS;

const TOUCHED_PAGE = 500;

/** How a poll came to be. */
export type PollRequest = {
  /** Somebody asked for it: it is not put off. */
  forced: boolean;
  /** A webhook asked for it. */
  woken: boolean;
  /** These resources and no others. */
  only: readonly string[] | undefined;
  slots: RateSlots | undefined;
  holder: string;
  /** The poll is alive. */
  beat: () => void;
};

/** Polls an instance: its feed, then its resources one by one (reference connector-events-api.md §5). */
export async function pollInstance(
  instance: Instance,
  doors: PollDoors,
  request: PollRequest,
): Promise<PollReport> {
  const settings = polledResources(instance);
  if (!settings.ok) return { kind: "not-polled", reason: settings.message };
  const reason = whyNotPolled(instance, request.woken);
  if (reason !== undefined) return { kind: "not-polled", reason };
  const source = instanceSource(instance.id);
  const { organizationId } = instance;
  const stream = doors.streams.getByName(streamName({ organizationId, source }));
  const opened = await stream.open({ holder: request.holder });
  if (opened.kind === "busy") return opened;
  const now = Date.now();
  const cursor = readCursor(opened.cursor);
  if (!request.forced && cursor.notBefore !== undefined && cursor.notBefore > now) {
    countPoll({ instance, source, committed: false }, now);
    return { kind: "postponed", until: cursor.notBefore };
  }
  const lookBackMs = Math.max(
    ...settings.resources.map(({ pollDelayMs, overlapMs }) => pollDelayMs + overlapMs),
    0,
  );
  const poll: PollState = {
    instance,
    doors: { ...doors, slots: request.slots },
    stream,
    source,
    lease: opened.lease,
    version: opened.version,
    cursor,
    lookBackMs,
    committed: false,
    idleAt: new Map(),
    crowdedUntil: undefined,
  };
  const reports: ResourceReport[] = [];
  let left: string[] | undefined;
  const renewing = setInterval(() => {
    request.beat();
    void stream.renew(opened.lease).catch(() => undefined);
  }, RENEW_EVERY_MS);
  try {
    const isWoken = request.woken && !request.forced && request.only === undefined;
    const touched = isWoken && !isStreamFeed(instance.connector) ? await readTouched(stream) : [];
    const wanted = wantedOf(poll, settings.resources, request.only, touched);
    left = await pollAll(poll, wanted, reports);
    const wentWell = left === undefined && reports.every(({ error }) => error === null);
    if (touched.length > 0 && wentWell) {
      const state = touched.map((key) => ({ key, value: null }));
      await commitWork(poll, { ...base(poll), state, events: [], targets: [] });
    }
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    reports.push({ ...emptyReport("*"), error: "Another poll of this instance was faster" });
  } finally {
    clearInterval(renewing);
    countPoll(poll, now);
    // An idle poll spares this request: its own isolate is let in again, others wait the lease out.
    if (poll.committed) await stream.release(opened.lease).catch(() => undefined);
  }
  return poll.crowdedUntil === undefined
    ? { kind: "polled", pollDate: now, resources: reports }
    : { kind: "crowded", until: poll.crowdedUntil, left };
}

function whyNotPolled(instance: Instance, woken: boolean): string | undefined {
  const { enabled, modes } = eventSettings(instance.connector, instance.configuration);
  if (instance.disabled || instance.pollerDisabled !== null) return "The instance is disabled";
  const feedOnly = isFeedRead(instance.connector, modes);
  if (!enabled || !(modes.includes("polling") || (woken && feedOnly)))
    return "Polling is not switched on";
  if (instance.valid) return undefined;
  return instance.invalidReason ?? "The instance is not authenticated";
}

/** The keys that webhooks left for the poll they wake. */
async function readTouched(stream: Stream): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const page = await stream.readStatePage(TOUCHED, keys.at(-1) ?? "", TOUCHED_PAGE);
    keys.push(...page.map(({ key }) => key));
    if (page.length < TOUCHED_PAGE) return keys;
  }
}

function wantedOf(
  { instance }: PollState,
  resources: readonly PolledResource[],
  only: readonly string[] | undefined,
  touched: readonly string[],
): PolledResource[] {
  const asked = resources.filter(({ resource }) => only?.includes(resource) ?? true);
  return touched.length === 0 ? asked : touchedResources(instance.connector, asked, touched);
}

/** @returns the resources that found no room in the rate budget; undefined when none is left. */
async function pollAll(
  poll: PollState,
  wanted: readonly PolledResource[],
  reports: ResourceReport[],
): Promise<string[] | undefined> {
  const names = (resources: readonly PolledResource[]) => resources.map(({ resource }) => resource);
  if (isStreamFeed(poll.instance.connector)) {
    const report = emptyReport("feed");
    reports.push(report);
    if (!(await pollFeed(poll, report)))
      return poll.crowdedUntil === undefined ? undefined : names(wanted);
  }
  const others = await pollBulk(poll, wanted, reports);
  if (poll.crowdedUntil !== undefined) return names(wanted);
  for (const [index, resource] of others.entries()) {
    const report = emptyReport(resource.resource);
    reports.push(report);
    const goesOn = await pollResource(poll, resource, report);
    if (poll.crowdedUntil !== undefined) return names(others.slice(index));
    if (!goesOn) return undefined;
    if (report.error === null) await pollSnapshot(poll, resource, report);
    if (report.error === null) await pollDeletions(poll, resource, report);
  }
  return undefined;
}
