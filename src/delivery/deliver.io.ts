import { Admissions, type Answer, type Asked, type Standings } from "./admission.io";
import type { Outcome } from "./attempt";
import type { RetryPolicy } from "./backoff";
import type { CallDoors } from "./callback.client";
import type { Destination } from "./destination";
import { endpointName } from "./endpoint-name";
import type { Handlers, Sending } from "./handler";
import { givenUpAt } from "./give-up";
import type { Limiter } from "./limiter";
import type { Announce, Notice } from "./notice";
import type { CallResult } from "./endpoint.object";
import { attemptWithoutCall, dead, deathsOf, putBack, putOff, unsent } from "./outcome";
import { countsOf } from "../metering/count";
import { count } from "../metering/store";
import { callback, handled, type Ready, told } from "./call.io";
import { switchOff } from "./destinations.store";
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
  standings: Standings;
  handlers: Handlers;
  announce: Announce;
};

/** One way for all: made ready, admitted, called, reported, and told to whom it concerns. */
export async function deliverGroup(
  group: Group,
  doors: GroupDoors,
  limiter: Limiter,
): Promise<Outcome[]> {
  const { destination, policy, items } = group;
  const now = Date.now();
  const handler = doors.handlers[destination.kind];
  const hasAddress = handler !== undefined || destination.url !== null;
  const [open, shut] = partition(
    items,
    ({ forced }) => hasAddress && (forced || (destination.enabled && destination.active)),
  );
  const [late, timely] = partition(open, (item) => item.parked && givenUpAt(policy, item) < now);
  const untried = [
    ...shut.map((item) =>
      unsent(item, destination.enabled ? { kind: "held" } : dead("destination-disabled", now)),
    ),
    ...late.map((item) => unsent(item, dead("exhausted", now))),
  ];
  const { ready, settled } = await prepared(group, timely, doors);
  const byEndpoint = Map.groupBy(ready, ({ url }) => endpointName(destination.organizationId, url));
  const called = await Promise.all(
    [...byEndpoint].map(([name, some]) => callEndpoint(name, some, group, doors, limiter)),
  );
  const uncalled = await Promise.all(
    [...untried, ...settled].map(async (outcome) => {
      const item = items.find(({ seq }) => seq === outcome.seq);
      return handler === undefined || item === undefined
        ? outcome
        : told(handler, destination, item, outcome, undefined);
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
  await tell(group, outcomes, opened, doors);
  return outcomes;
}

/** What can be called, and what needs no call because there is nothing to send. */
async function prepared(
  { destination, policy }: Group,
  items: readonly Sending[],
  doors: GroupDoors,
): Promise<{ ready: Ready[]; settled: Outcome[] }> {
  const { url } = destination;
  const handler = doors.handlers[destination.kind];
  if (handler === undefined)
    return {
      ready:
        url === null || !URL.canParse(url)
          ? []
          : items.map((item) => callback({ ...destination, url }, item, policy, doors)),
      settled: url === null || URL.canParse(url) ? [] : items.map((item) => addressless(item, url)),
    };
  const all = await Promise.all(items.map((item) => handled(handler, destination, item, doors)));
  return {
    ready: all.flatMap((one) => (one.kind === "ready" ? one.ready : [])),
    settled: all.flatMap((one) => (one.kind === "settled" ? one.outcome : [])),
  };
}

function addressless(item: Sending, url: string): Outcome {
  const now = Date.now();
  const attempt = attemptWithoutCall(item.n, now, `'${url}' is not an absolute URL`);
  return { seq: item.seq, n: item.n, attempt, next: dead("refused", now) };
}

/** The calls of a group to one endpoint: admitted together as far as possible, reported together. */
async function callEndpoint(
  name: string,
  ready: readonly Ready[],
  { stream, destination, policy, leaseUntil }: Group,
  doors: GroupDoors,
  limiter: Limiter,
): Promise<{ outcomes: Outcome[]; notice: Notice | undefined; requests: number }> {
  const admissions = new Admissions(name, doors);
  const { ratePerSecond } = destination.policy;
  const asked: Asked = {
    wanted: ready.length,
    stream,
    destinationId: destination.id,
    waits: destination.url !== null,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
  };
  const results: CallResult[] = [];
  let ended = 0;
  let answer = await admissions.admit(asked);
  const away = ({ item }: Ready): Outcome =>
    unsent(item, putOff(item, policy, returnOf(answer, asked), Date.now()));
  const call = async (one: Ready): Promise<Outcome> => {
    const began = Date.now();
    doors.standings.laggards.begin(destination.id, began);
    try {
      const called = await one.call(leaseUntil);
      if (called?.result !== undefined) results.push(called.result);
      return called?.outcome ?? putBack(one.item, Date.now());
    } finally {
      doors.standings.laggards.end(destination.id, began);
    }
  };
  const atStart = async (one: Ready, start: number): Promise<Outcome> => {
    const waitMs = start - Date.now();
    if (waitMs > 0) await scheduler.wait(waitMs);
    return call(one);
  };
  const seated = async (one: Ready): Promise<Outcome> => {
    if (answer.kind !== "granted") return away(one);
    const own = await admissions.seat({ ...asked, wanted: 1 });
    if (own.kind === "granted") return call(one).finally(() => admissions.give());
    answer = { ...own, starts: [] };
    const [start] = own.starts;
    ended += own.starts.length;
    return start === undefined ? away(one) : atStart(one, start);
  };
  const starts = answer.kind === "granted" ? [] : answer.starts;
  ended += starts.length;
  const inTurn = async (one: Ready, task: () => Promise<Outcome>): Promise<Outcome> =>
    (await limiter.run(destination.id, task)) ?? putBack(one.item, Date.now());
  const calls = ready.map((one, index) => {
    const start = starts[index];
    if (start !== undefined) return inTurn(one, () => atStart(one, start));
    return answer.kind === "granted" ? inTurn(one, () => seated(one)) : Promise.resolve(away(one));
  });
  const outcomes = await admissions.during(Promise.all(calls));
  const { opened, nextProbeAt } = await admissions.report(results, ended);
  return {
    outcomes,
    notice: opened ? { type: "circuit.opened", nextProbeAt } : undefined,
    requests: admissions.requests,
  };
}

/** When those that may not go now come back. */
function returnOf(answer: Answer, { waits }: Asked): { at: number; parked: boolean } {
  switch (answer.kind) {
    case "granted":
      return { at: 0, parked: false };
    case "paced":
      return { at: answer.returnAt, parked: false };
    case "parked":
      return waits
        ? { at: answer.returnAt, parked: true }
        : { at: answer.probeAt + 1_000 * Math.random(), parked: false };
  }
}

/** What the outcomes mean beyond their notifications: a destination switched off, operators told. */
async function tell(
  { destination, items }: Group,
  outcomes: readonly Outcome[],
  opened: readonly Notice[],
  { db, announce }: GroupDoors,
): Promise<void> {
  const notices = [...opened];
  for (const { notice, off } of deathsOf(destination, items, outcomes)) {
    notices.push(notice);
    if (off !== undefined && (await switchOff(db, destination.id, off.column)))
      notices.push({ type: "destination.disabled", reason: off.reason });
  }
  for (const notice of notices) await announce(destination, notice);
}
