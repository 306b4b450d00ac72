import type { Config } from "../config";
import { keyring } from "../db/sealed";
import {
  type DeliveryItem,
  type DeliveryMessage,
  deliveryMessage,
  type Next,
  type Outcome,
} from "./attempt";
import { nextStep, parseRetryAfter, type RetryPolicy } from "./backoff";
import { type Inside, post, TIMEOUT_MS } from "./client";
import { accountPolicy, type Destination, retryPolicyOf } from "./destination";
import { endpointName } from "./endpoint-name";
import { recordExceptions } from "./exceptions/store";
import type { Handlers } from "./handler";
import { givenUpAt } from "./horizon";
import type { Announce, Notice } from "./notice";
import type { Admission, CallResult } from "./object";
import { countsOf } from "./rollup/count";
import { count, flushCounts } from "./rollup/store";
import { switchOff, readDestinations } from "./store";
import { viaHandler } from "./handled/consumer";
import { transformBody } from "./transform";

/** The platform opens six connections at a time for one invocation. */
const CONNECTIONS = 6;
/** An endpoint without a rate that admitted everything is taken for well for so long. */
const TRUST_MS = 1_000;
const SETTLE_TRIES = 4;
/** What is delivered is not kept from being settled longer than this by its neighbours in the bundle. */
const PATIENCE_MS = 1_000;
/** Messages this isolate has handled: the queue may bring one twice. */
const HANDLED = 5_000;
const handled = new Set<string>();

export type DeliveryDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  endpoints: Env["ENDPOINTS"];
  config: Config;
  announce: Announce;
  /** Callbacks to this platform's own addresses; absent: they go over the network like all others. */
  inside?: Inside;
  handlers: Handlers;
};

/** Every message is acknowledged after one attempt: what became of it is in the stream. */
export async function consumeDeliveries(batch: MessageBatch, doors: DeliveryDoors): Promise<void> {
  const limit = limiter(CONNECTIONS);
  await Promise.all(
    batch.messages.map(async (message) => {
      const parsed = deliveryMessage.safeParse(message.body);
      if (!parsed.success) {
        console.error(
          JSON.stringify({ at: "deliveries", error: "unreadable message", id: message.id }),
        );
        message.retry();
        return;
      }
      try {
        await deliverBundle(parsed.data, doors, limit);
      } catch (error) {
        // The lease runs out and the stream sends it again.
        console.error(
          JSON.stringify({ at: "deliveries", stream: parsed.data.stream, error: String(error) }),
        );
      }
      message.ack();
    }),
  );
  await flushCounts(doors.db, Date.now());
}

type Item = DeliveryItem & { body: string };
type Group = { destination: Destination; policy: RetryPolicy; items: Item[] };

async function deliverBundle(
  message: DeliveryMessage,
  doors: DeliveryDoors,
  limit: Limiter,
): Promise<void> {
  const now = Date.now();
  if (message.leaseUntil < now + TIMEOUT_MS + 1_000 || alreadyHandled(message)) return;
  const stream = doors.streams.getByName(message.stream);
  const destinations = await readDestinations(
    doors.db,
    keyring(doors.config.masterKeys),
    message.items.map(({ destinationId }) => destinationId),
    now,
  );
  const organizationId = Number(message.stream.slice(0, message.stream.indexOf("/")));
  const absent = message.items.filter(({ body }) => body === undefined).map(({ seq }) => seq);
  const bodies: Record<number, string> =
    absent.length === 0 ? {} : await stream.bodies(message.bundle, absent);
  const settle = async (outcomes: Outcome[], last: boolean): Promise<void> => {
    await settled(() => stream.settle(message.bundle, outcomes, last));
    await recordExceptions(
      doors.db,
      { name: message.stream, organizationId },
      message.items,
      outcomes,
      now,
    );
  };
  const deliver = async (id: string, items: DeliveryItem[]): Promise<Outcome[]> => {
    const found = destinations.get(id);
    if (found === undefined)
      return items.map((item) => unsent(item, dead("destination-disabled", now)));
    const whole = items.flatMap((item) => {
      const body = item.body ?? bodies[item.seq];
      return body === undefined ? [] : { ...item, body };
    });
    const { destination, settings } = found;
    const handler = doors.handlers[destination.kind];
    if (handler !== undefined && destination.enabled) {
      const { stream: name, leaseUntil } = message;
      const sent = await Promise.all(
        whole.map((item) =>
          limit(() =>
            viaHandler(handler, destination, { ...item, stream: name }, doors.config, leaseUntil),
          ),
        ),
      );
      const outcomes = sent.filter((outcome) => outcome !== undefined);
      const source = message.stream.slice(message.stream.indexOf("/") + 1);
      const counts = { ...countsOf(outcomes), objectRequests: 1, queueOperations: 3 };
      count({ organizationId, source, destinationId: id }, counts, now);
      return outcomes;
    }
    const policy = retryPolicyOf(destination, accountPolicy(settings));
    return deliverGroup(message.stream, { destination, policy, items: whole }, doors, limit);
  };
  const groups = Map.groupBy(message.items, ({ destinationId }) => destinationId);
  await settleAsTheyEnd(
    [...groups].map(([id, items]) => deliver(id, items)),
    settle,
  );
}

/** Settles all together, but doesn't let those that are done wait long for one that hangs. */
async function settleAsTheyEnd(
  groups: Promise<Outcome[]>[],
  settle: (outcomes: Outcome[], last: boolean) => Promise<void>,
): Promise<void> {
  let done: Outcome[] = [];
  const all = Promise.all(
    groups.map(async (group) => {
      const outcomes = await group;
      done.push(...outcomes);
    }),
  );
  const slow = Symbol("slow");
  if ((await Promise.race([all, scheduler.wait(PATIENCE_MS).then(() => slow)])) === slow) {
    const early = done;
    done = [];
    if (early.length > 0) await settle(early, false);
    await all;
  }
  await settle(done, true);
}

/** A bundle's notifications to one destination: admitted together, reported together. */
async function deliverGroup(
  stream: string,
  group: Group,
  doors: DeliveryDoors,
  limit: Limiter,
): Promise<Outcome[]> {
  const { destination, policy, items } = group;
  const now = Date.now();
  const { url } = destination;
  const [open, shut] = partition(
    items,
    ({ forced }) => url !== null && (forced || (destination.enabled && destination.active)),
  );
  const away = shut.map((item) =>
    unsent(item, destination.enabled ? { kind: "held" } : dead("destination-disabled", now)),
  );
  if (url === null || open.length === 0) return away;
  const [late, timely] = partition(open, (item) => item.parked && givenUpAt(policy, item) < now);
  const endpoint = endpointName(destination.organizationId, url);
  const admission = await admitTo(
    endpoint,
    { stream, destination, wanted: timely.length },
    doors,
    now,
  );
  const results: CallResult[] = [];
  const tried = await Promise.all(
    timely.slice(0, admission.starts.length).map((item, index) =>
      limit(async () => {
        await until(admission.starts[index] ?? now);
        return tryOnce({ ...destination, url }, item, policy, doors, results);
      }),
    ),
  );
  const put = timely
    .slice(admission.starts.length)
    .map((item) => unsent(item, putOff(item, policy, admission, now)));
  const outcomes = [
    ...away,
    ...late.map((item) => unsent(item, dead("exhausted", now))),
    ...tried,
    ...put,
  ];
  const { opened, nextProbeAt, requests } = await reportTo(
    endpoint,
    results,
    admission.trusted,
    doors,
  );
  const key = {
    organizationId: destination.organizationId,
    source: stream.slice(stream.indexOf("/") + 1),
    destinationId: destination.id,
  };
  count(
    key,
    {
      ...countsOf(outcomes),
      objectRequests: 1 + requests + (admission.trusted ? 0 : 1),
      queueOperations: 3,
    },
    now,
  );
  await tell(group, outcomes, opened ? { type: "circuit.opened", nextProbeAt } : undefined, doors);
  return outcomes;
}

/** Endpoints that admitted everything without a rate a moment ago, and what went well there since. */
const well = new Map<string, { until: number; unreported: number }>();

/** May they go? An endpoint that was well a moment ago is not asked again. */
async function admitTo(
  endpoint: string,
  { stream, destination, wanted }: { stream: string; destination: Destination; wanted: number },
  { endpoints }: DeliveryDoors,
  now: number,
): Promise<Admission & { trusted: boolean }> {
  const { ratePerSecond } = destination.policy;
  if ((well.get(endpoint)?.until ?? 0) > now && ratePerSecond === undefined) {
    const starts = Array.from({ length: wanted }, () => now);
    return { starts, returnAt: null, parked: false, trusted: true };
  }
  const admission = await endpoints.getByName(endpoint).admit({
    wanted,
    stream,
    destinationId: destination.id,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
  });
  if (well.size > 10_000) well.clear();
  if (admission.starts.length === wanted && !admission.parked && ratePerSecond === undefined)
    well.set(endpoint, { until: now + TRUST_MS, unreported: well.get(endpoint)?.unreported ?? 0 });
  return { ...admission, trusted: false };
}

/**
 * Tells the endpoint what became of the calls. That calls made on trust went well can wait; those it
 * admitted it counts until it is told.
 */
async function reportTo(
  endpoint: string,
  results: CallResult[],
  onTrust: boolean,
  { endpoints }: DeliveryDoors,
): Promise<{ opened: boolean; nextProbeAt: number | null; requests: number }> {
  const trust = well.get(endpoint);
  const allWell = results.every(({ status }) => status !== null && status >= 200 && status < 300);
  if (allWell && onTrust && trust !== undefined) {
    trust.unreported += results.length;
    return { opened: false, nextProbeAt: null, requests: 0 };
  }
  if (results.length === 0) return { opened: false, nextProbeAt: null, requests: 0 };
  if (!allWell) well.delete(endpoint);
  const unreported = trust?.unreported ?? 0;
  if (trust !== undefined) trust.unreported = 0;
  const view = await endpoints.getByName(endpoint).report(results, Math.min(unreported, 1_000));
  return { ...view, requests: 1 };
}

async function tryOnce(
  destination: Destination & { url: string },
  item: Item,
  policy: RetryPolicy,
  doors: DeliveryDoors,
  results: CallResult[],
): Promise<Outcome> {
  const body = await transformBody(destination.policy.transform, item.body);
  const now = Date.now();
  if (!body.ok) {
    const attempt = {
      n: item.n,
      at: now,
      status: null,
      durationMs: 0,
      error: body.message,
      responseHeaders: {},
      responseBody: "",
      truncated: false,
    };
    return { seq: item.seq, n: item.n, attempt, next: dead("transform-failed", now) };
  }
  const { attempt, refused } = await post(destination, { ...item, body: body.text }, doors, now);
  if (refused) return { seq: item.seq, n: item.n, attempt, next: dead("refused", now) };
  const after = now + attempt.durationMs;
  const control = attempt.responseHeaders["webhook-delivery"];
  const retryAfter = parseRetryAfter(attempt.responseHeaders["retry-after"] ?? null, after);
  results.push({
    status: attempt.status,
    ...(retryAfter === undefined ? {} : { retryAt: retryAfter }),
  });
  const next = nextStep(attempt, {
    policy,
    tries: item.tries + 1,
    firstFailedAt: item.firstFailedAt,
    retryAfter,
    control: control === "disable" || control === "abort-message" ? control : undefined,
    now: after,
    chance: Math.random(),
  });
  return { seq: item.seq, n: item.n, attempt, next };
}

/** What the outcomes mean beyond their notifications: a destination switched off, operators told. */
async function tell(
  { destination, items }: Group,
  outcomes: readonly Outcome[],
  circuit: Notice | undefined,
  { db, announce }: DeliveryDoors,
): Promise<void> {
  const notices: Notice[] = circuit === undefined ? [] : [circuit];
  const died = Map.groupBy(outcomes, ({ next }) =>
    next.kind === "dead" ? next.reason : undefined,
  );
  for (const [reason, group] of died) {
    if (reason === undefined) continue;
    const seqs = new Set(group.map(({ seq }) => seq));
    const notificationIds = items.filter(({ seq }) => seqs.has(seq)).map(({ id }) => id);
    notices.push({ type: "delivery.dead", reason, notificationIds });
    const off = switchedOffBy(reason, destination, group);
    if (off !== undefined && (await switchOff(db, destination.id, off.column)))
      notices.push({ type: "destination.disabled", reason: off.reason });
  }
  for (const notice of notices) await announce(destination, notice);
}

/**
 * 410 and the receiver's own word disable a destination; exhausted connector callbacks deactivate their
 * subscription, so that what comes is held until it is released (reference `connector-events-api.md` §8).
 */
function switchedOffBy(
  reason: string,
  destination: Destination,
  group: readonly Outcome[],
): { column: "enabled" | "active"; reason: "gone" | "receiver" | "exhausted" } | undefined {
  if (reason === "gone") return { column: "enabled", reason: "gone" };
  if (reason === "destination-disabled" && group.some(({ attempt }) => attempt !== undefined))
    return { column: "enabled", reason: "receiver" };
  if (reason === "exhausted" && destination.kind === "instance")
    return { column: "active", reason: "exhausted" };
  return undefined;
}

/** Not tried now: back when there is room, or when the destination is well, but never after its policy's end. */
function putOff(
  item: Item,
  policy: RetryPolicy,
  admission: { returnAt: number | null; parked: boolean },
  now: number,
): Next {
  const at = Math.max(admission.returnAt ?? now + 1_000, now + 50);
  return admission.parked
    ? { kind: "parked", at: Math.max(Math.min(at, givenUpAt(policy, item) + 1), now + 1_000) }
    : { kind: "pending", at };
}

function alreadyHandled(message: DeliveryMessage): boolean {
  const tries = message.items.map(({ seq, n }) => `${seq}.${n}`).join();
  const key = `${message.stream}#${message.bundle}#${tries}#${message.leaseUntil}`;
  if (handled.has(key)) return true;
  if (handled.size >= HANDLED) handled.clear();
  handled.add(key);
  return false;
}

function unsent({ seq, n }: Pick<DeliveryItem, "seq" | "n">, next: Next): Outcome {
  return { seq, n, next };
}

function dead(reason: Extract<Next, { kind: "dead" }>["reason"], at: number): Next {
  return { kind: "dead", at, reason };
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

async function until(at: number): Promise<void> {
  const waitMs = at - Date.now();
  if (waitMs > 0) await scheduler.wait(waitMs);
}

async function settled(settle: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await settle();
      return;
    } catch (error) {
      if (tries >= SETTLE_TRIES) throw error;
      await scheduler.wait(50 * 4 ** tries);
    }
  }
}

type Limiter = <T>(task: () => Promise<T>) => Promise<T>;

/** Runs at most `width` tasks at a time, in the order they came. */
function limiter(width: number): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
