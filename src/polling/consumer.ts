import * as z from "zod";
import type { Config } from "../config";
import { keyring } from "../db/sealed";
import { instanceDestinationId } from "../delivery/destination";
import type { Commit, Target } from "../events/event";
import { instanceSource, streamName } from "../events/stream-name";
import { withStartedFlows } from "../flows/triggers/store";
import { matchesEvent } from "../flows/trigger";
import { eventSettings } from "../instances/configuration";
import { type HubPage, listRecords } from "../instances/hub/client";
import { type Position as HubPosition, positionSchema } from "../instances/hub/paging";
import type { Instance } from "../instances/instance";
import { disablePoller, readInstance, readInstances } from "../instances/store";
import { newestFirst } from "./classify";
import type { PolledResource } from "./configuration";
import {
  type Cursor,
  keepIdsSince,
  type Position,
  positionOf,
  readCursor,
  sinceEnabled,
  underRule,
  windowStart,
} from "./cursor";
import { hasTemplate, expandTemplates } from "./template";
import { type HubRequest, parseHubUrl } from "./hub-url";
import {
  countAccepted,
  emptyReport,
  FAILURES_TO_DISABLE,
  MOST_PASSES,
  PAGES_A_RUN,
  type PollReport,
  type ResourceReport,
  SCAN_LIVES_MS,
} from "./poll";
import { dateReader, readPage, readUndated, type Reading } from "./records";
import { polledResources, ruleOf } from "./settings";

export type PollDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  polls: Env["POLLS"];
  config: Config;
};

type Stream = ReturnType<PollDoors["streams"]["getByName"]>;

/** A message on the polls queue: instances that are due. */
export const pollMessage = z.object({ ids: z.array(z.number().int().positive()) });

/** Vendors are called this many at a time for one invocation. */
const CONCURRENCY = 6;
const RENEW_EVERY_MS = 8_000;
/** A poll asked for by somebody waits this long for one that runs elsewhere. */
const WAIT_MS = 60_000;

/** Polls that run in this isolate: the stream lets their holder in again only when none does. */
const running = new Map<number, Promise<unknown>>();
let isolate: string | undefined;

/** Polls what a tick found due. One bad instance never fails the others, nor the batch. */
export async function consumePolls(batch: MessageBatch, doors: PollDoors): Promise<void> {
  for (const message of batch.messages) {
    const parsed = pollMessage.safeParse(message.body);
    if (!parsed.success) {
      console.error(JSON.stringify({ at: "polls", error: "unreadable message", id: message.id }));
      message.retry();
      continue;
    }
    const due = await readInstances(doors.db, keyring(doors.config.masterKeys), parsed.data.ids);
    const next = due.values();
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (const instance of next) await pollDue(instance, doors);
      }),
    );
    message.ack();
  }
}

async function pollDue(instance: Instance, doors: PollDoors): Promise<void> {
  if (running.has(instance.id)) return;
  try {
    await registered(instance.id, () => poll(instance, doors, { forced: false }));
  } catch (error) {
    console.error(JSON.stringify({ at: "poll", instanceId: instance.id, error: String(error) }));
  }
}

/** A real poll, now: after any that runs already, whatever slot and backoff say. */
export async function pollNow(instance: Instance, doors: PollDoors): Promise<PollReport> {
  const giveUpAt = Date.now() + WAIT_MS;
  for (;;) {
    await running.get(instance.id)?.catch(() => undefined);
    if (running.has(instance.id)) continue;
    const current =
      (await readInstance(doors.db, keyring(doors.config.masterKeys), instance.id)) ?? instance;
    const report = await registered(instance.id, () => poll(current, doors, { forced: true }));
    if (report.kind !== "busy" || Date.now() > giveUpAt) return report;
    await scheduler.wait(250);
  }
}

async function registered<T>(id: number, task: () => Promise<T>): Promise<T> {
  const promise = task();
  running.set(id, promise);
  try {
    return await promise;
  } finally {
    running.delete(id);
  }
}

/** The state of one poll while it goes through its resources. */
type Run = {
  instance: Instance;
  doors: PollDoors;
  stream: Stream;
  source: string;
  lease: string;
  version: number;
  cursor: Cursor;
  lookBackMs: number;
};

/** A commit that came too late: another poll moved the cursor. */
class Superseded extends Error {}

async function poll(
  instance: Instance,
  doors: PollDoors,
  { forced }: { forced: boolean },
): Promise<PollReport> {
  const settings = polledResources(instance);
  const { enabled, modes } = eventSettings(instance.connector, instance.configuration);
  if (!settings.ok) return { kind: "not-polled", reason: settings.message };
  if (!enabled || !modes.includes("polling"))
    return { kind: "not-polled", reason: "Polling is not switched on" };
  if (!instance.valid)
    return {
      kind: "not-polled",
      reason: instance.invalidReason ?? "The instance is not authenticated",
    };
  const source = instanceSource(instance.id);
  const stream = doors.streams.getByName(
    streamName({ organizationId: instance.organizationId, source }),
  );
  isolate ??= crypto.randomUUID();
  const opened = await stream.open({ holder: isolate });
  if (opened.kind === "busy") return opened;
  const now = Date.now();
  const cursor = readCursor(opened.cursor);
  if (!forced && cursor.notBefore !== undefined && cursor.notBefore > now)
    return { kind: "postponed", until: cursor.notBefore };
  const lookBackMs = Math.max(
    ...settings.resources.map(({ pollDelayMs, overlapMs }) => pollDelayMs + overlapMs),
    0,
  );
  const run: Run = {
    instance,
    doors,
    stream,
    source,
    lease: opened.lease,
    version: opened.version,
    cursor,
    lookBackMs,
  };
  const reports: ResourceReport[] = [];
  const renewing = setInterval(
    () => void stream.renew(opened.lease).catch(() => undefined),
    RENEW_EVERY_MS,
  );
  try {
    for (const resource of settings.resources) {
      const report = emptyReport(resource.resource);
      reports.push(report);
      if (!(await pollResource(run, resource, report))) break;
    }
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    reports.push({ ...emptyReport("*"), error: "Another poll of this instance was faster" });
  } finally {
    clearInterval(renewing);
  }
  return { kind: "polled", pollDate: now, resources: reports };
}

/** @returns whether the resources after this one are polled too. */
async function pollResource(
  run: Run,
  resource: PolledResource,
  report: ResourceReport,
): Promise<boolean> {
  const { instance, cursor } = run;
  const name = resource.resource;
  const position = sinceEnabled(
    underRule(positionOf(cursor, name), ruleOf(resource), instance.baseline),
    instance.enabledAt,
  );
  const now = Date.now();
  const scan =
    position.scan !== undefined && position.scan.startedAt > now - SCAN_LIVES_MS
      ? position.scan
      : undefined;
  const startedAt = scan?.startedAt ?? now;
  const after = scan?.after ?? windowStart(position, instance.baseline, resource);
  const expanded = expandTemplates(resource.url, after, resource.updated?.format);
  const hub = expanded.ok ? parseHubUrl(expanded.url) : expanded;
  if (!hub.ok) return fail(run, name, position, report, hub.message);
  const vendorResource = instance.connector.resources[hub.request.resource];
  const reading: Reading = {
    source: run.source,
    resource,
    deleted: vendorResource?.deleted,
    after,
    startedAt,
    templated: hasTemplate(resource.url),
    firstPoll: position.last === undefined,
    updated: dateReader(resource.updated),
    created: dateReader(resource.created),
  };
  const numbered =
    vendorResource?.paging.style === "page" || vendorResource?.paging.style === "offset";
  for (let pass = 1; ; pass += 1) {
    const outcome = await scanPages(
      run,
      { ...hub.request, pageSize: pageSizeOf(instance, resource, hub.request) },
      reading,
      report,
      {
        position,
        from: pass === 1 ? positionSchema.safeParse(scan?.position).data : undefined,
        finishes: (fresh, pages) => !(numbered && pages > 1 && fresh > 0 && pass < MOST_PASSES),
      },
    );
    switch (outcome.kind) {
      case "done":
        return true;
      case "again":
        continue;
      case "failed":
        return outcome.retryAt === undefined
          ? fail(run, name, position, report, outcome.message)
          : postpone(run, report, outcome.message, outcome.retryAt);
      case "budget":
        return continueLater(run, name, {
          ...position,
          scan: { startedAt, after, position: outcome.next },
        });
    }
  }
}

type ScanOutcome =
  | { kind: "done" }
  | { kind: "again" }
  | { kind: "budget"; next: HubPosition }
  | { kind: "failed"; message: string; retryAt?: number };

type Scan = {
  position: Position;
  from: HubPosition | undefined;
  /** Whether a scan of `pages` pages with `fresh` new events is the last one. */
  finishes: (fresh: number, pages: number) => boolean;
};

/** Reads page after page and commits each; the cursor moves with the last one. */
async function scanPages(
  run: Run,
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
      run.instance,
      request.resource,
      { ...request, ...(next === undefined ? {} : { position: next }) },
      { db: run.doors.db, config: run.doors.config },
    );
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
      undated.length === 0 ? {} : await run.stream.readState(undated.map(({ key }) => key));
    const hashed = readUndated(undated, known, reading);
    const all = [...events, ...hashed.events];
    const oldReached =
      !reading.templated && newestFirst(dates) && (dates.at(-1) ?? Infinity) <= reading.after;
    const last = page.next === null || oldReached;
    const changed = all.length > 0 || hashed.state.length > 0;
    const work: Commit = {
      ...base(run),
      events: all,
      targets: [targetOf(run.instance, reading)],
      state: hashed.state,
    };
    if (!last && changed) fresh += await commitPage(run, work, report);
    if (last)
      return finish(run, reading, report, scan, work, { fresh, candidates, pages, changed });
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
  run: Run,
  reading: Reading,
  report: ResourceReport,
  scan: Scan,
  work: Commit,
  seen: { fresh: number; candidates: number; pages: number; changed: boolean },
): Promise<ScanOutcome> {
  const { position } = scan;
  const idle = seen.candidates === 0 && !seen.changed && seen.fresh === 0;
  const settled =
    position.failures === 0 && position.scan === undefined && run.cursor.notBefore === undefined;
  // Without a template the first poll is what later ones are compared with: that it happened is written down.
  const baselineMade = !reading.firstPoll || reading.templated;
  if (idle && settled && baselineMade) return { kind: "done" };
  if (!scan.finishes(seen.fresh + work.events.length, seen.pages)) {
    const fresh = seen.changed ? await commitPage(run, work, report) : 0;
    if (fresh + seen.fresh > 0) return { kind: "again" };
    work.events = [];
    work.state = [];
  }
  const { rule, floor } = position;
  const moved: Position = {
    failures: 0,
    last: idle && baselineMade ? position.last : reading.startedAt,
    ...(rule === undefined ? {} : { rule }),
    ...(floor === undefined ? {} : { floor }),
  };
  const resources = { ...run.cursor.resources, [reading.resource.resource]: moved };
  run.cursor = { resources };
  await commitPage(run, { ...work, ...cursorOf(run) }, report);
  return { kind: "done" };
}

async function commitPage(run: Run, work: Commit, report: ResourceReport): Promise<number> {
  const { id, organizationId, userId } = run.instance;
  const started = await withStartedFlows(
    run.doors.db,
    { organizationId, kind: "instance", keys: [String(id)] },
    work,
    (trigger, event) => trigger.userId === userId && matchesEvent(trigger, event),
    Date.now(),
  );
  const committed = await run.stream.commit({ ...work, ...started, expect: run.version });
  if (committed.kind === "stale") throw new Superseded();
  run.version = committed.version;
  countAccepted(report, work.events, committed.accepted);
  return committed.accepted.length;
}

function base(run: Run): Pick<Commit, "lease" | "expect"> {
  return { lease: run.lease, expect: run.version };
}

function cursorOf(run: Run): Pick<Commit, "cursor" | "keepIdsSince"> {
  return {
    cursor: JSON.stringify(run.cursor),
    keepIdsSince: keepIdsSince(run.cursor.resources, run.instance.baseline, run.lookBackMs),
  };
}

function targetOf(instance: Instance, { resource, startedAt }: Reading): Target {
  const { connector, configuration } = instance;
  const ordering = configuration["event.notification.ordering"];
  return {
    destinationId:
      (configuration["event.notification.callback.url"] ?? null) === null
        ? null
        : instanceDestinationId(instance.id),
    envelope: {
      format: "elements",
      elementKey: connector.key,
      hubKey: connector.hub,
      instanceId: instance.id,
      instanceName: instance.name,
      polled: { objectType: resource.resource, pollDate: startedAt },
    },
    most: 10,
    ordering: ordering === "object" || ordering === "source" ? ordering : "none",
  };
}

function failureOf(page: Exclude<HubPage, { kind: "page" }>): ScanOutcome {
  switch (page.kind) {
    case "vendor-error": {
      const postponed = (page.status === 429 || page.status === 503) && page.retryAt !== undefined;
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

/** One more failure of this resource in a row; the poller is switched off at the hundredth. */
async function fail(
  run: Run,
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
  run.cursor = { ...run.cursor, resources: { ...run.cursor.resources, [resource]: failed } };
  await commitPage(run, { ...base(run), ...cursorOf(run), events: [], targets: [] }, report);
  if (failures < FAILURES_TO_DISABLE) return true;
  await disablePoller(run.doors.db, run.instance.id, {
    resource,
    failureCount: failures,
    disabledDate: Date.now(),
    lastError: message.slice(0, 500),
  });
  console.warn(
    JSON.stringify({
      at: "poller.disabled",
      instanceId: run.instance.id,
      resource,
      error: message,
    }),
  );
  return false;
}

/** The vendor wants to be left alone: this instance, and nobody else, waits. */
async function postpone(
  run: Run,
  report: ResourceReport,
  message: string,
  until: number,
): Promise<boolean> {
  report.error = message;
  run.cursor = { ...run.cursor, notBefore: until };
  await commitPage(run, { ...base(run), ...cursorOf(run), events: [], targets: [] }, report);
  return false;
}

/** A backlog larger than one run: the place is kept, and the next run follows at once. */
async function continueLater(run: Run, resource: string, position: Position): Promise<boolean> {
  run.cursor = { ...run.cursor, resources: { ...run.cursor.resources, [resource]: position } };
  const message = { ids: [run.instance.id] };
  const wake = { at: Date.now() + 60_000, message: JSON.stringify(message) };
  await commitPage(
    run,
    { ...base(run), ...cursorOf(run), events: [], targets: [], wake },
    emptyReport(resource),
  );
  await run.doors.polls.send(message);
  return false;
}

function pageSizeOf(instance: Instance, resource: PolledResource, request: HubRequest): number {
  const most = Number(instance.configuration["pagination.max"] ?? 100);
  return request.pageSize ?? resource.pageSize ?? (hasTemplate(resource.url) ? most : 20);
}
