import type { Isolate } from "./admission.io";
import type { Outcome } from "./attempt";
import type { RetryPolicy } from "./backoff";
import type { CallDoors } from "./callback.client";
import type { Destination } from "./destination";
import { endpointName } from "./endpoint-name";
import type { Handlers, Sending } from "./handler";
import { givenUpAt } from "./give-up";
import type { Limiter } from "./limiter";
import type { Announce, Notice } from "./notice";
import { MOST_HOPS } from "./own-address";
import { attemptWithoutCall, dead, deathsOf, unsent } from "./outcome";
import { countsOf } from "../metering/count";
import { count } from "../metering/counter.io";
import { EndpointCalls } from "./call-endpoint.io";
import { prepareCallback, prepareHandled, type Ready, reported } from "./call.io";
import { failingAfter } from "./standing";
import { isOn } from "./state";
import { saveFailing, switchOff } from "./standing.store";
import { partition } from "../values/lists";

/** A bundle's notifications to one destination. */
export type Group = {
  stream: string;
  destination: Destination;
  policy: RetryPolicy;
  items: Sending[];
  leaseUntil: number;
};

export type GroupDoors = CallDoors & {
  db: D1Database;
  endpoints: Env["ENDPOINTS"];
  isolate: Isolate;
  handlers: Handlers;
  announce: Announce;
};

/**
 * Delivers a group, whether callbacks or steps of flows: makes the requests ready, asks their endpoints for admission,
 * calls, and reports the outcomes: to the room of a flow step, to the usage, to the operators.
 */
export async function deliverGroup(
  group: Group,
  doors: GroupDoors,
  limiter: Limiter,
): Promise<Outcome[]> {
  const { destination, policy, items } = group;
  const now = Date.now();
  const handler = doors.handlers[destination.kind];
  const hasAddress = handler !== undefined || destination.url !== null;
  const [sound, unfit] = partition(items, (item) => unfitness(item) === undefined);
  const [open, shut] = partition(
    sound,
    ({ forced }) => hasAddress && (forced || isOn(destination)),
  );
  const [late, timely] = partition(open, (item) => item.parked && givenUpAt(policy, item) < now);
  const untried = [
    ...unfit.flatMap((item) => unfitness(item, now) ?? []),
    ...shut.map((item) => unsent(item, shutOut(destination, now))),
    ...late.map((item) => unsent(item, dead("exhausted", now))),
  ];
  const { ready, withoutCall } = await prepare(group, timely, doors);
  const stepId = handler !== undefined && destination.url === null ? destination.id : undefined;
  const byEndpoint = Map.groupBy(ready, ({ url }) =>
    endpointName(destination.organizationId, url, stepId),
  );
  const called = await Promise.all(
    [...byEndpoint].map(([name, some]) =>
      new EndpointCalls(name, some.length, group, doors, limiter).make(some),
    ),
  );
  const uncalled = await Promise.all(
    [...untried, ...withoutCall].map(async (outcome) => {
      const item = items.find(({ seq }) => seq === outcome.seq);
      return handler === undefined || item === undefined
        ? outcome
        : reported(handler, destination, item, outcome, undefined);
    }),
  );
  const outcomes = [...uncalled, ...called.flatMap((one) => one.outcomes)];
  const key = {
    organizationId: destination.organizationId,
    source: group.stream.slice(group.stream.indexOf("/") + 1),
    destinationId: destination.id,
  };
  const objectRequests = called.reduce((sum, one) => sum + one.requests, 0);
  count(key, { ...countsOf(outcomes), objectRequests }, now);
  const opened = called.flatMap((one) => one.notice ?? []);
  await announceAll(group, outcomes, opened, doors);
  return outcomes;
}

/** What becomes of a notification to a destination that is switched off. */
const shutOut = ({ enabled }: Destination, now: number): Outcome["next"] =>
  enabled ? { kind: "held", reason: "paused" } : dead("destination-disabled", now);

/** Requests that can be made, and outcomes of notifications that need none. */
async function prepare(
  { destination, policy }: Group,
  items: readonly Sending[],
  doors: GroupDoors,
): Promise<{ ready: Ready[]; withoutCall: Outcome[] }> {
  const { url } = destination;
  const handler = doors.handlers[destination.kind];
  if (handler === undefined)
    return {
      ready:
        url === null || !URL.canParse(url)
          ? []
          : items.map((item) => prepareCallback({ ...destination, url }, item, policy, doors)),
      withoutCall:
        url === null || URL.canParse(url) ? [] : items.map((item) => withInvalidUrl(item, url)),
    };
  const all = await Promise.all(
    items.map((item) => prepareHandled(handler, destination, item, doors)),
  );
  return {
    ready: all.flatMap((one) => (one.kind === "ready" ? one.ready : [])),
    withoutCall: all.flatMap((one) => (one.kind === "no-call" ? one.outcome : [])),
  };
}

/**
 * The end of a notification that no request is made for, whatever its destination: its body cannot be written, or too
 * many requests led to it already.
 */
function unfitness(
  { seq, n, unrenderable, hops = 0, forced }: Sending,
  now = 0,
): Outcome | undefined {
  const ended = (reason: "unrenderable" | "loop", error: string): Outcome => ({
    seq,
    n,
    attempt: attemptWithoutCall(n, now, error),
    next: dead(reason, now),
  });
  if (unrenderable !== undefined) return ended("unrenderable", unrenderable);
  const goesRound = `${hops} requests of this platform led to it: it goes round in a circle`;
  return hops >= MOST_HOPS && !forced ? ended("loop", goesRound) : undefined;
}

function withInvalidUrl(item: Sending, url: string): Outcome {
  const now = Date.now();
  const attempt = attemptWithoutCall(item.n, now, `'${url}' is not an absolute URL`);
  return { seq: item.seq, n: item.n, attempt, next: dead("refused", now) };
}

/**
 * Notes whether the destination fails, tells the operators of notifications that died and circuits that opened, and
 * switches the destination off if need be.
 */
async function announceAll(
  { destination, items }: Group,
  outcomes: readonly Outcome[],
  opened: readonly Notice[],
  { db, announce }: GroupDoors,
): Promise<void> {
  const now = Date.now();
  const failing = failingAfter(destination.failing, outcomes, now);
  if (failing !== undefined) await saveFailing(db, destination.id, failing);
  const notices = [...opened];
  for (const { notice, off } of deathsOf(destination, items, outcomes, now)) {
    notices.push(notice);
    if (off !== undefined && (await switchOff(db, destination.id, off.column, off.pause)))
      notices.push({ type: "destination.disabled", reason: off.reason });
  }
  for (const notice of notices) await announce(destination, notice);
}
