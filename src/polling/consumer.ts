import { waitUntil } from "cloudflare:workers";
import * as z from "zod";
import { keyring } from "../db/sealed";
import { count } from "../delivery/rollup/store";
import { instanceSource, streamName } from "../events/stream-name";
import { eventSettings } from "../instances/configuration";
import { listRecords } from "../instances/hub/client";
import type { Instance } from "../instances/instance";
import { readInstance, readInstances } from "../instances/store";
import { readCursor } from "./cursor";
import { pollBulk, pollFeed } from "./feed/consumer";
import { planResource } from "./plan";
import {
  DRY_RECORDS,
  dryEvent,
  type DryReport,
  emptyReport,
  type PollReport,
  type ResourceReport,
} from "./poll";
import { readPage, readUndated } from "./records";
import { type PollDoors, type Run, Superseded } from "./run/consumer";
import { pollResource } from "./scan/consumer";
import { isFeedRead, isStreamFeed, polledResources } from "./settings";
import { pollSnapshot } from "./snapshot/consumer";

/** A message on the polls queue: instances that are due. */
export const pollMessage = z.object({
  ids: z.array(z.number().int().positive()),
  /** A webhook, or a poll that was not done, asks for it: it may not be lost. */
  wake: z.boolean().default(false),
});

/** Vendors are called this many at a time for one invocation. */
const CONCURRENCY = 6;
const RENEW_EVERY_MS = 8_000;
/** A poll asked for by somebody waits this long for one that runs elsewhere. */
const WAIT_MS = 60_000;
const WAKE_AGAIN_SECONDS = 2;

/** A poll that gives no sign of life for this long was cut off with its request: it never settles. */
const ALIVE_MS = 3 * RENEW_EVERY_MS;
const LOOK_MS = 250;

type Running = { promise: Promise<unknown>; aliveUntil: number };

/** Polls that run in this isolate: the stream lets their holder in again only when none does. */
const running = new Map<number, Running>();
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
        for (const instance of next) await pollDue(instance, doors, parsed.data.wake);
      }),
    );
    message.ack();
  }
}

async function pollDue(instance: Instance, doors: PollDoors, wake: boolean): Promise<void> {
  if (runningPoll(instance.id) !== undefined) {
    if (wake) await wakeAgain(instance, doors);
    return;
  }
  try {
    const report = await registered(instance.id, () =>
      poll(instance, doors, { forced: false, woken: wake }),
    );
    if (wake && report.kind === "busy") await wakeAgain(instance, doors);
  } catch (error) {
    console.error(JSON.stringify({ at: "poll", instanceId: instance.id, error: String(error) }));
  }
}

/** What came while another poll ran may have been too late for it. */
async function wakeAgain({ id }: Instance, { polls }: PollDoors): Promise<void> {
  await polls.send({ ids: [id], wake: true }, { delaySeconds: WAKE_AGAIN_SECONDS });
}

/** A real poll, now: after any that runs already, whatever slot and backoff say. */
export async function pollNow(instance: Instance, doors: PollDoors): Promise<PollReport> {
  const giveUpAt = Date.now() + WAIT_MS;
  for (;;) {
    const before = runningPoll(instance.id);
    const report: PollReport =
      before === undefined
        ? await registered(instance.id, () => pollAsItIs(instance, doors))
        : { kind: "busy", until: giveUpAt };
    if (report.kind !== "busy" || Date.now() > giveUpAt) return report;
    const wait = scheduler.wait(LOOK_MS);
    await (before === undefined ? wait : Promise.race([before.catch(() => undefined), wait]));
  }
}

/** Polls an instance as it is when its turn has come. */
async function pollAsItIs(instance: Instance, doors: PollDoors): Promise<PollReport> {
  const ring = keyring(doors.config.masterKeys);
  const current = await readInstance(doors.db, ring, instance.id);
  return poll(current ?? instance, doors, { forced: true, woken: true });
}

function runningPoll(id: number): Promise<unknown> | undefined {
  const entry = running.get(id);
  return entry !== undefined && entry.aliveUntil > Date.now() ? entry.promise : undefined;
}

/** What the next poll would ask and emit; nothing moves, no lease is taken (reference `v1-api.md`). */
export async function pollDry(instance: Instance, doors: PollDoors): Promise<DryReport[]> {
  const settings = polledResources(instance);
  if (!settings.ok) return [];
  const source = instanceSource(instance.id);
  const stream = doors.streams.getByName(
    streamName({ organizationId: instance.organizationId, source }),
  );
  const cursor = readCursor((await stream.inspect()).cursor);
  const reports: DryReport[] = [];
  for (const resource of settings.resources) {
    const planned = planResource(instance, source, cursor, resource, Date.now());
    if (!planned.ok) {
      reports.push({
        objectType: resource.resource,
        request: resource.url,
        events: [],
        error: planned.message,
      });
      continue;
    }
    const { request, reading, url } = planned;
    const page = await listRecords(
      instance,
      request.resource,
      { ...request, pageSize: DRY_RECORDS },
      doors,
    );
    if (page.kind !== "page") {
      reports.push({
        objectType: resource.resource,
        request: url,
        events: [],
        error: page.message,
      });
      continue;
    }
    const read = readPage(page.records, reading);
    const known = await stream.readState(read.undated.map(({ key }) => key));
    const all = [...read.events, ...readUndated(read.undated, known, reading).events];
    const seen = new Set(await stream.knownIds(all.map(({ id }) => id)));
    const events = all
      .filter(({ id }) => !seen.has(id))
      .slice(0, DRY_RECORDS)
      .map(dryEvent);
    reports.push({ objectType: resource.resource, request: url, events, error: null });
  }
  return reports;
}

async function registered<T>(id: number, task: () => Promise<T>): Promise<T> {
  const promise = task();
  const entry: Running = { promise, aliveUntil: Date.now() + ALIVE_MS };
  running.set(id, entry);
  // A caller that hangs up must not cut a poll in two.
  waitUntil(promise.catch(() => undefined));
  try {
    return await promise;
  } finally {
    if (running.get(id) === entry) running.delete(id);
  }
}

async function poll(
  instance: Instance,
  doors: PollDoors,
  { forced, woken }: { forced: boolean; woken: boolean },
): Promise<PollReport> {
  const settings = polledResources(instance);
  const { enabled, modes } = eventSettings(instance.connector, instance.configuration);
  if (!settings.ok) return { kind: "not-polled", reason: settings.message };
  if (instance.disabled || instance.pollerDisabled !== null)
    return { kind: "not-polled", reason: "The instance is disabled" };
  const feedOnly = isFeedRead(instance.connector, modes);
  if (!enabled || !(modes.includes("polling") || (woken && feedOnly)))
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
  count(
    { organizationId: instance.organizationId, source: "", destinationId: "" },
    { polls: 1, objectRequests: 1 },
    now,
  );
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
    committed: false,
    idleAt: new Map(),
    retentionMs: undefined,
  };
  const reports: ResourceReport[] = [];
  const renewing = setInterval(() => {
    const entry = running.get(instance.id);
    if (entry !== undefined) entry.aliveUntil = Date.now() + ALIVE_MS;
    void stream.renew(opened.lease).catch(() => undefined);
  }, RENEW_EVERY_MS);
  try {
    const report = emptyReport("feed");
    if (isStreamFeed(instance.connector)) reports.push(report);
    const isFed = await pollFeed(run, report);
    const bulk = isFed
      ? await pollBulk(run, settings.resources, reports)
      : { left: [], goesOn: false };
    for (const resource of bulk.left) {
      const report = emptyReport(resource.resource);
      reports.push(report);
      if (!(await pollResource(run, resource, report))) break;
      if (report.error === null) await pollSnapshot(run, resource, report);
    }
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    reports.push({ ...emptyReport("*"), error: "Another poll of this instance was faster" });
  } finally {
    clearInterval(renewing);
    // An idle poll spares this request: its own isolate is let in again, others wait the lease out.
    if (run.committed) await stream.release(opened.lease).catch(() => undefined);
  }
  return { kind: "polled", pollDate: now, resources: reports };
}
