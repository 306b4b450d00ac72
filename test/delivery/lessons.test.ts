import { createMessageBatch, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, expect, it, vi } from "vitest";
import { tellAll } from "../../src/db/directory/tell";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { rotateKey } from "../../src/delivery/policy.store";
import { endpointName } from "../../src/delivery/endpoint-name";
import {
  forgetDestination,
  readDestination,
  readDestinationRecord,
} from "../../src/delivery/destinations.store";
import { deleteDestination } from "../../src/delivery/remove-destination.store";
import { newSigningSecret } from "../../src/delivery/save-destination.store";
import type { EventStream } from "../../src/stream/stream.object";
import { commit, event, events, expireLeases, freshStream, target } from "../stream/build";
import {
  consumeWhole,
  destination,
  eventually,
  isolate,
  mine,
  type Received,
  receiver,
  silence,
} from "./build";
import { FIRST, MINE } from "../organization";

/** Failures that users of other webhook services reported: each sentence is the name of its test. */

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const ok = (): Response => new Response("ok");
const broken = (): Response => new Response("no", { status: 500 });
const ring = keyring(readConfig(env).masterKeys);

type Stream = DurableObjectStub<EventStream>;

const stateOf = async (stream: Stream, seq: number): Promise<string | undefined> =>
  (await stream.notification(seq))?.notification.state.kind;

const settledAs = (stream: Stream, seq: number, kind: string): Promise<true> =>
  eventually(async () => (await stateOf(stream, seq)) === kind && true);

const to = (id: string, change = {}) => [target({ destinationId: id, most: 1, ...change })];

it("given an endpoint that always fails and new events every 3 s, when retries fall due, then each runs at its own time, never postponed by a newer failure, and only due ones run", async () => {
  receiver(broken);
  const stream = freshStream();
  const { id } = await destination({ policy: { retrySchedule: [0, 100, 100] } });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 10, 21) });
  const due: number[] = [];
  for (let seq = 1; seq <= 3; seq += 1) {
    await stream.commit(commit({ events: [event(`retry-${seq}`)], targets: to(id) }));
    await settledAs(stream, seq, "retrying");
    const view = await stream.notification(seq);
    if (view?.notification.state.kind === "retrying") due.push(view.notification.state.at);
    vi.setSystemTime(Date.now() + 3_000);
  }
  expect(due.map((at) => Math.round((at - (due[0] ?? 0)) / 1000))).toEqual([0, 3, 6]);
  vi.setSystemTime((due[0] ?? 0) + 1);
  await runDurableObjectAlarm(stream);
  await eventually(
    async () => (await stream.notification(1))?.notification.attempts.length === 2 && true,
  );
  expect((await stream.notification(2))?.notification.attempts).toHaveLength(1);
  const again = await stream.notification(3);
  expect(again?.notification.state).toEqual({ kind: "retrying", at: due[2] });
});

it("given an event already written, when the queue redelivers its message, then no duplicate row, no key conflict, and unfinished deliveries continue", async () => {
  const received = receiver(ok);
  const stream = freshStream();
  const { id } = await destination();
  const messages: unknown[] = [];
  await stream.commit(commit({ events: events(1, "twice"), targets: to(id) }));
  await settledAs(stream, 1, "delivered");
  const view = await stream.notification(1);
  messages.push({
    stream: await nameOf(stream),
    bundle: 1,
    leaseUntil: Date.now() + 45_000,
    items: [
      {
        seq: 1,
        n: 1,
        tries: 0,
        destinationId: id,
        id: view?.id,
        createdAt: Date.now(),
        body: "{}",
      },
    ],
  });
  await consume(messages);
  await consume(messages);
  const after = await stream.notification(1);
  expect(after?.notification.attempts).toHaveLength(1);
  expect(after?.notification.state.kind).toBe("delivered");
  const mine = received.filter((one) => one.headers.get("webhook-id") === view?.id);
  expect(mine.length).toBeLessThanOrEqual(2);
});

it("given fan-out to N endpoints, when the process dies after k, then the rest are delivered, the k not redone", async () => {
  const stream = freshStream();
  const all = await Promise.all(Array.from({ length: 5 }, () => destination()));
  let dead = true;
  const received = receiver((one) =>
    dead && all.slice(2).some(({ url }) => url === one.url) ? silence() : ok(),
  );
  await stream.commit(
    commit({
      events: [event("fan", { to: [0, 1, 2, 3, 4] })],
      targets: all.map(({ id }) => target({ destinationId: id, most: 1 })),
    }),
  );
  await settleFirst(
    stream,
    all.slice(0, 2).map((_, index) => index + 1),
  );
  dead = false;
  await expireLeases(stream);
  await runDurableObjectAlarm(stream);
  for (let seq = 1; seq <= 5; seq += 1) await settledAs(stream, seq, "delivered");
  const counts = all.map(({ url }) => received.filter((one) => one.url === url).length);
  expect(counts.slice(0, 2)).toEqual([1, 1]);
});

it("given two identical concurrent publishes with one idempotency key, then one event exists and both callers get the same id", async () => {
  const stream = freshStream();
  receiver(ok);
  const { id } = await destination();
  const both = await Promise.all(
    [1, 2].map(() => stream.commit(commit({ events: [event("same")], targets: to(id) }))),
  );
  expect(both.flatMap((one) => (one.kind === "committed" ? one.accepted : []))).toEqual(["same"]);
  expect((await stream.events({ after: 0, limit: 10 })).events.map((one) => one.id)).toEqual([
    "same",
  ]);
});

it("given a queue send that fails after the commit, then the caller still gets its 2xx and the alarm re-sends", async () => {
  const received = receiver(ok, mine);
  const stream = freshStream();
  const { id, url } = await destination();
  await runInDurableObject(stream, (object) => {
    const doors: { DELIVERIES_SLOW: unknown } = Reflect.get(object, "env");
    Reflect.set(object, "env", {
      ...doors,
      DELIVERIES_SLOW: { sendBatch: () => Promise.reject(new Error("The queue is down")) },
    });
  });
  const committed = await stream.commit(commit({ events: events(1, "outage"), targets: to(id) }));
  expect(committed.kind).toBe("committed");
  await runInDurableObject(stream, (object) => Reflect.set(object, "env", env));
  expect(received.filter((one) => one.url === url)).toEqual([]);
  await expireLeases(stream);
  await runDurableObjectAlarm(stream);
  await settledAs(stream, 1, "delivered");
});

it("given a broker outage or restart, when it returns, then work resumes unaided and nothing accepted is lost", async () => {
  const received = receiver(ok, mine);
  const stream = freshStream();
  const { id, url } = await destination();
  const down = { sendBatch: () => Promise.reject(new Error("The broker is down")) };
  await runInDurableObject(stream, (object) => {
    Reflect.set(object, "env", { ...env, DELIVERIES: down, DELIVERIES_SLOW: down });
  });
  await stream.commit(commit({ events: events(20, "outage"), targets: to(id) }));
  await expireLeases(stream);
  await runDurableObjectAlarm(stream);
  expect(received.filter((one) => one.url === url)).toEqual([]);
  // Nobody has to come: its own alarm is set, within a lease.
  const alarmAt = await runInDurableObject(stream, (_, state) => state.storage.getAlarm());
  expect((alarmAt ?? Infinity) - Date.now()).toBeLessThanOrEqual(45_000);
  await runInDurableObject(stream, (object) => Reflect.set(object, "env", env));
  await expireLeases(stream);
  await runDurableObjectAlarm(stream);
  for (let seq = 1; seq <= 20; seq += 1) await settledAs(stream, seq, "delivered");
  const ids = received
    .filter((one) => one.url === url)
    .map(({ headers }) => headers.get("webhook-id"));
  expect(new Set(ids).size).toBe(20);
});

it("given a clock skewed by minutes, then schedules and tolerances still hold", async () => {
  let answer = broken;
  const received = receiver(() => answer(), mine);
  const stream = freshStream();
  const { id } = await destination({ policy: { retrySchedule: [0, 60, 60] } });
  const start = Date.now() + 86_400_000;
  vi.useFakeTimers({ toFake: ["Date"], now: start });
  await stream.commit(commit({ events: events(1, "skewed"), targets: to(id) }));
  await settledAs(stream, 1, "retrying");
  answer = ok;
  // Minutes back: nothing is due, nothing is forgotten.
  vi.setSystemTime(start - 240_000);
  await runDurableObjectAlarm(stream);
  expect(await stateOf(stream, 1)).toBe("retrying");
  // Minutes ahead: it goes once, and a receiver with the same clock takes it.
  vi.setSystemTime(start + 240_000);
  await runDurableObjectAlarm(stream);
  await settledAs(stream, 1, "delivered");
  expect(received).toHaveLength(2);
  const secret = await secretOf(id);
  expect(() => verified(received.at(-1), secret)).not.toThrow();
  vi.setSystemTime(start + 240_000 - 299_000);
  expect(() => verified(received.at(-1), secret)).not.toThrow();
});

it("given a body over the queue limit but under ours, then it arrives intact; one byte over ours gives that surface's own status (413; 429 on `/elements/api-v2`), never 500", async () => {
  const bearer = { authorization: `Bearer ${FIRST.apiKey}` };
  const secrets = {
    authorization: MINE,
  };
  const doors: [string, number, Record<string, string>, number][] = [
    ["/elements/api-v2/instances", 8 * 1024 * 1024, secrets, 429],
    ["/v1/destinations/none/test", 2 * 1024 * 1024, bearer, 404],
    ["/v1/keys", 64 * 1024, bearer, 413],
    ["/apis/management/v1/environments", 1_000_000, bearer, 413],
    ["/user/auth", 64 * 1024, {}, 413],
  ];
  await destination();
  for (const [path, limit, headers, expected] of doors) {
    const { status } = await exports.default.fetch(`https://tributary.example${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "x".repeat(limit + 1),
    });
    expect({ path, status }).toEqual({ path, status: expected });
  }

  const received = receiver(ok, mine);
  const stream = freshStream();
  const { id } = await destination();
  const data = JSON.stringify({ text: `ä😀"\\${"x".repeat(1024 * 1024)}` });
  await stream.commit(commit({ events: [event("large", { data })], targets: to(id) }));
  await settledAs(stream, 1, "delivered");
  expect(received[0]?.body).toBe(data);
});

it("given a late retry or a rotated key, then timestamp and signatures are fresh and valid", async () => {
  let answer = broken;
  const received = receiver(() => answer(), mine);
  const stream = freshStream();
  const draft = await destination({ policy: { retrySchedule: [0, 3600, 3600] } });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  await stream.commit(commit({ events: events(1, "late"), targets: to(draft.id) }));
  await settledAs(stream, 1, "retrying");
  const secret = newSigningSecret();
  await rotate(draft.id, secret, 0);
  answer = ok;
  vi.setSystemTime(Date.now() + 3_700_000);
  await runDurableObjectAlarm(stream);
  await settledAs(stream, 1, "delivered");
  const [first, last] = [received[0], received.at(-1)];
  expect(last?.headers.get("webhook-id")).toBe(first?.headers.get("webhook-id"));
  expect(last?.body).toBe(first?.body);
  expect(
    Number(last?.headers.get("webhook-timestamp")) -
      Number(first?.headers.get("webhook-timestamp")),
  ).toBeGreaterThan(3600);
  expect(() => verified(last, secret)).not.toThrow();
});

it("given rotation with grace, then both keys verify; after grace only the new; live keys are capped", async () => {
  const received = receiver(ok, mine);
  const stream = freshStream();
  const { id } = await destination();
  const old = await secretOf(id);
  const fresh = newSigningSecret();
  await rotate(id, fresh, 60_000);
  await stream.commit(commit({ events: [event("during")], targets: to(id) }));
  await settledAs(stream, 1, "delivered");
  expect(() => verified(received[0], old)).not.toThrow();
  expect(() => verified(received[0], fresh)).not.toThrow();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
  forgetDestination(id);
  await stream.commit(commit({ events: [event("after")], targets: to(id) }));
  await settledAs(stream, 2, "delivered");
  expect(() => verified(received[1], old)).toThrow();
  expect(() => verified(received[1], fresh)).not.toThrow();
});

it("given throttling and retries together, then the rate holds and no message is lost, doubled or starved", async () => {
  let calls = 0;
  const received = receiver(() => ((calls += 1) % 3 === 0 ? broken() : ok()), mine);
  const stream = freshStream();
  const { id } = await destination({
    policy: { ratePerSecond: 50, retrySchedule: [0, 0, 0, 0, 0] },
  });
  await stream.commit(commit({ events: events(40, "paced"), targets: to(id) }));
  await eventually(async () => {
    await runDurableObjectAlarm(stream);
    const views = await stream.notifications({ before: null, limit: 50, withEvents: false });
    return views.every(({ notification }) => notification.state.kind === "delivered") && true;
  });
  const starts = received.map(({ at }) => at);
  for (const [index, at] of starts.entries()) {
    const later = starts[index + 55];
    if (later !== undefined) expect(later - at).toBeGreaterThanOrEqual(950);
  }
  expect(new Set(received.map(({ headers }) => headers.get("webhook-id"))).size).toBe(40);
});

it("given an open circuit, when an event arrives, then a retry record exists and it is delivered after recovery", async () => {
  let answer = broken;
  receiver(() => answer());
  const stream = freshStream();
  const draft = await destination({
    policy: { retrySchedule: Array.from({ length: 40 }, () => 3600) },
  });
  await stream.commit(commit({ events: events(10, "fails"), targets: to(draft.id) }));
  const endpoint = env.ENDPOINTS.getByName(endpointName(1, draft.url ?? ""));
  await eventually(async () => (await endpoint.view()).state === "open" && true);
  await stream.commit(commit({ events: [event("meanwhile")], targets: to(draft.id) }));
  await settledAs(stream, 11, "parked");
  answer = ok;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  await runDurableObjectAlarm(endpoint);
  await eventually(async () => (await endpoint.view()).state === "closed" && true);
  await runDurableObjectAlarm(endpoint);
  await settledAs(stream, 11, "delivered");
});

it("given a deleted endpoint, when its queued task runs, then it ends once, without looping, reason recorded", async () => {
  const received = receiver(silence, mine);
  const stream = freshStream();
  const { id } = await destination();
  await stream.commit(commit({ events: events(1, "gone"), targets: to(id) }));
  await env.DB.prepare("DELETE FROM destinations WHERE id = ?").bind(id).run();
  await tellAll(env.DB);
  deleteDestination(env.DB, id);
  await expireLeases(stream);
  await runDurableObjectAlarm(stream);
  await settledAs(stream, 1, "dead");
  expect((await stream.notification(1))?.notification.state).toMatchObject({
    reason: "destination-disabled",
  });
  expect(received.length).toBeLessThanOrEqual(1);
});

it("given a redirect to a private address, then delivery refuses to follow it", async () => {
  const received = receiver(
    () => new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } }),
    mine,
  );
  const stream = freshStream();
  const { id } = await destination();
  await stream.commit(commit({ events: events(1, "redirect"), targets: to(id) }));
  await settledAs(stream, 1, "retrying");
  expect(received).toHaveLength(1);
  expect((await stream.notification(1))?.notification.attempts[0]).toMatchObject({
    status: 302,
    error: "Redirects are not followed",
  });
});

it("given an endless response, then it stops at the size cap and is recorded as cut", async () => {
  let sent = 0;
  receiver(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 1;
            controller.enqueue(new Uint8Array(512).fill(120));
          },
        }),
      ),
  );
  const stream = freshStream();
  const { id } = await destination();
  await stream.commit(commit({ events: events(1, "endless"), targets: to(id) }));
  await settledAs(stream, 1, "delivered");
  const [attempt] = (await stream.notification(1))?.notification.attempts ?? [];
  expect(attempt).toMatchObject({ truncated: true });
  expect(attempt?.responseBody).toHaveLength(16_384);
  expect(sent).toBeLessThan(60);
});

it("given a subject's deletion request, then payloads leave queue, store, log and archive", async () => {
  receiver(({ body }) => new Response(body.includes("Jane") ? "about Jane" : "ok"));
  const stream = freshStream();
  const { id } = await destination();
  const data = JSON.stringify({ name: "Jane" });
  await stream.commit(
    commit({
      events: [event("a", { objectId: "jane", data }), event("b", { objectId: "joe" })],
      targets: to(id),
    }),
  );
  await settledAs(stream, 2, "delivered");
  expect(await stream.expunge("accounts", "jane")).toEqual({ events: 1, notifications: 1 });
  const dump = await runInDurableObject(stream, (_, state) =>
    ["segments", "bundles", "state", "meta"]
      .map((table) => JSON.stringify(state.storage.sql.exec(`SELECT * FROM ${table}`).toArray()))
      .join(),
  );
  expect(dump).not.toContain("Jane");
  expect(dump).toContain("joe");
});

it("given an event matching no endpoint, then it is stored, searchable, replayable", async () => {
  const received = receiver(ok, mine);
  const stream = freshStream("user:unheard");
  await stream.commit(commit({ events: [event("unheard", { to: [] })], targets: [] }));
  const found = await stream.events({
    after: 0,
    limit: 10,
    filter: JSON.stringify({ objectId: "object-unheard" }),
  });
  expect(found.events).toHaveLength(1);
  const { id } = await destination();
  await stream.startJob({
    id: "job_1",
    kind: "replay",
    from: 0,
    to: Date.now() + 1000,
    destinationId: id,
    objectType: null,
    eventType: null,
    fallbackId: id,
  });
  await eventually(async () => {
    await runDurableObjectAlarm(stream);
    return received.length === 1 && true;
  });
  expect(received[0]?.body).toBe(JSON.stringify({ id: "unheard" }));
});

it("given unusual key order, numbers or Unicode, then delivered bytes equal signed bytes", async () => {
  const received = receiver(ok, mine);
  const stream = freshStream();
  const { id } = await destination();
  const data =
    '{"2":1.0,"1":1e2,"é":"\\u00e9\\ud83d\\ude00","n":12345678901234567890,"z":[{"b":1,"a":2}]}';
  await stream.commit(commit({ events: [event("odd", { data })], targets: to(id) }));
  await settledAs(stream, 1, "delivered");
  expect(received[0]?.body).toBe(data);
  expect(() => verified(received[0], "")).toThrow();
  const secret = await secretOf(id);
  expect(() => verified(received[0], secret)).not.toThrow();
});

// The last two leave calls behind that hang.

it("given failures near a threshold, then one alert per crossing; a slow alert sink delays neither delivery nor logging", async () => {
  const sink = await destination({ id: "operations-1", kind: "operations", ownerId: "1" });
  await env.DB.prepare("UPDATE organizations SET settings = ? WHERE id = 1")
    .bind(JSON.stringify({ operationsCallback: { url: sink.url } }))
    .run();
  receiver(({ url: called }) => (called === sink.url ? silence() : broken()));
  const stream = freshStream();
  const { id, url } = await destination({ policy: { retrySchedule: [0, 7200, 7200] } });
  const operations = env.EVENT_STREAMS.getByName("1/operations");
  await stream.commit(commit({ events: events(12, "near"), targets: to(id) }));
  const endpoint = env.ENDPOINTS.getByName(endpointName(1, url ?? ""));
  await eventually(async () => (await endpoint.view()).state === "open" && true);
  const alerts = await eventually(async () => {
    const { events: all } = await operations.events({ after: 0, limit: 200 });
    const mine = all.filter((one) => one.eventType === "circuit.opened" && one.objectId === id);
    return mine.length > 0 && mine;
  });
  expect(alerts).toHaveLength(1);
  // All is settled and written down while the sink has not answered.
  for (let seq = 1; seq <= 10; seq += 1) await settledAs(stream, seq, "retrying");
  expect(await stateOf(operations, alerts[0]?.seq ?? 0)).toBe("pending");
  const row = await env.DB.prepare("SELECT count(*) AS n FROM exceptions WHERE destination_id = ?")
    .bind(id)
    .first<{ n: number }>();
  expect(row?.n).toBeGreaterThanOrEqual(10);
  await env.DB.prepare("UPDATE organizations SET settings = '{}' WHERE id = 1").run();
});

it("given one endpoint that hangs until timeout, then the latency of others stays normal", async () => {
  const [hanging, well] = [await destination(), await destination()];
  const received = receiver(({ url }) => (url === hanging.url ? silence() : ok()));
  const stream = freshStream();
  await stream.commit(commit({ events: [event("warm")], targets: to(well.id) }));
  await settledAs(stream, 1, "delivered");
  await stream.commit(commit({ events: events(5, "hangs"), targets: to(hanging.id) }));
  await eventually(async () => received.some(({ url }) => url === hanging.url) && true);
  for (let seq = 7; seq < 17; seq += 1) {
    await stream.commit(commit({ events: [event(`well-${seq}`)], targets: to(well.id) }));
    await settledAs(stream, seq, "delivered");
  }
  // The first call has not even timed out.
  expect(await stateOf(stream, 2)).toBe("pending");
});

async function nameOf(stream: Stream): Promise<string> {
  return runInDurableObject(stream, (_, state) => state.id.name ?? "");
}

async function consume(bodies: unknown[]): Promise<void> {
  const batch = createMessageBatch(
    "tributary-deliveries",
    bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts: 1, body })),
  );
  await consumeWhole(batch, isolate());
}

/** As if the consumer had settled some of a bundle, and died. */
async function settleFirst(stream: Stream, seqs: number[]): Promise<void> {
  const attempt = {
    n: 1,
    at: Date.now(),
    status: 200,
    durationMs: 1,
    error: null,
    responseHeaders: {},
    responseBody: "",
    truncated: false,
  };
  await eventually(async () => (await stateOf(stream, 1)) === "pending" && true);
  const next = { kind: "delivered" as const, at: Date.now() };
  const outcomes = seqs.map((seq) => ({ seq, n: 1, attempt, next }));
  await stream.settle([{ bundle: 1, outcomes, last: true }]);
}

async function secretOf(id: string): Promise<string> {
  return (await readDestination(env.DB, ring, 1, id))?.signers[0]?.secret ?? "";
}

async function rotate(id: string, secret: string, overlapMs: number): Promise<void> {
  const record = await readDestinationRecord(env.DB, ring, 1, id);
  if (record === undefined) throw new Error("No such destination");
  await rotateKey(env.DB, ring, record, {
    algorithm: "v1",
    secret,
    retireAt: Date.now() + overlapMs,
    now: Date.now(),
  });
}

function verified(received: Received | undefined, secret: string): unknown {
  if (received === undefined) throw new Error("Nothing was received");
  return new Webhook(secret).verify(received.body, Object.fromEntries(received.headers));
}
