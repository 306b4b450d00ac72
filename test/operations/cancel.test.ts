import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import type { DeadReason, Next } from "../../src/delivery/attempt";
import {
  countExceptions,
  countTroubles,
  troubledStreams,
} from "../../src/delivery/exceptions.store";
import { eventually, receiver } from "../delivery/build";
import { call, callV1, createOrganizations, draft } from "../elements/build";
import { consume, keepDeliveries } from "../polling/build";
import { ATTEMPT, commit, event, restarted, target } from "../stream/build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

/** Longer than a consumer may take to begin with a message unasked. */
const LATER_MS = 5_000;

function later(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + LATER_MS });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** An instance whose stream's queue is in the test's hands. */
async function waiting() {
  const url = `http://127.0.0.1:9/cancel-${crypto.randomUUID()}`;
  const settings = { "event.notification.callback.url": url };
  const { id } = (await call("POST", "/instances", draft(settings))).body;
  const destinationId = `instance-${id}`;
  const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
  const bodies = await keepDeliveries(stream);
  let made = 0;
  const add = (count: number, change: Parameters<typeof target>[0] = {}) =>
    stream.commit(
      commit({
        targets: [target({ destinationId, most: 1, ...change })],
        events: Array.from({ length: count }, () => event(`${id}-${(made += 1)}`)),
      }),
    );
  const settle = (seq: number, next: Next) =>
    stream.settle([
      {
        bundle: seq,
        outcomes: [{ seq, n: 1, attempt: { ...ATTEMPT, status: 500 }, next }],
        last: true,
      },
    ]);
  const idOf = (seq: number): string => `${id}${seq}${String(String(seq).length).padStart(2, "0")}`;
  const cancel = (seq: number) => callV1("POST", `/deliveries/${idOf(seq)}/cancel`);
  const read = async (seq: number) => (await callV1("GET", `/deliveries/${idOf(seq)}`)).body;
  const listed = async () =>
    (await callV1("GET", `/deliveries?destinationId=${destinationId}`)).body.items.map(
      ({ id: one, status, reason }: any) => [one, status, reason],
    );
  return { id, url, destinationId, stream, bodies, add, settle, idOf, cancel, read, listed };
}

it("whatever waits is cancelled, and what has ended is not", async () => {
  const { add, settle, cancel, read, idOf, bodies, listed } = await waiting();
  const soon = Date.now() + 3_600_000;
  const dead = (reason: DeadReason): Next => ({ kind: "dead", at: 1, reason });
  const table: [string, Next | "queued" | "in line" | "without", number][] = [
    ["on a queue", "queued", 200],
    ["for its next try", { kind: "retrying", at: soon }, 200],
    ["for a later time", { kind: "pending", at: soon }, 200],
    ["for its circuit", { kind: "parked", at: soon }, 200],
    ["until it is released", { kind: "held", reason: "queued" }, 200],
    ["for nothing: it is delivered", { kind: "delivered", at: 1 }, 409],
    ["for nothing: it is dead", dead("gone"), 409],
    ["for nothing: it has no destination", "without", 409],
    ["for its turn", "in line", 200],
  ];
  for (const [index, [, state]] of table.entries()) {
    if (state === "in line") await add(2, { ordering: "source" });
    else await add(1, state === "without" ? { destinationId: null } : {});
    if (typeof state === "object") await settle(index + 1, state);
  }
  later();
  for (const [index, [name, , status]] of table.entries()) {
    const seq = index + (name === "for its turn" ? 2 : 1);
    const answer = await cancel(seq);
    expect([name, answer.status]).toEqual([name, status]);
    if (status === 409) continue;
    expect(answer.body).toMatchObject({ id: idOf(seq), status: "dead", reason: "cancelled" });
    expect((await cancel(seq)).status).toBe(409);
    expect(await listed()).toContainEqual([idOf(seq), "dead", "cancelled"]);
  }
  expect((await callV1("POST", "/deliveries/1000001/cancel")).status).toBe(404);
  const posts = receiver(() => new Response("ok"));
  const sent = bodies.length;
  await consume("tributary-deliveries", bodies.splice(0));
  // Of those on the queue only the first in line was not cancelled: its message goes as it is.
  expect([sent > 0, posts.length]).toEqual([true, 1]);
  expect((await read(9)).status).toBe("delivered");
  expect((await read(1)).status).toBe("dead");
});

it("a message on its way is dropped when something in it was cancelled, and the rest is sent anew", async () => {
  const { add, cancel, bodies, url, read } = await waiting();
  const posts = receiver(
    () => new Response("ok"),
    (one) => one.url === url,
  );
  await add(2);
  await expect.poll(() => bodies).toHaveLength(1);
  later();
  expect((await cancel(1)).status).toBe(200);
  await consume("tributary-deliveries", bodies.splice(0));
  await expect.poll(() => bodies).toHaveLength(1);
  expect([posts.length, bodies[0].items.map(({ seq }: any) => seq)]).toEqual([0, [2]]);
  await consume("tributary-deliveries", bodies.splice(0));
  const statuses = [(await read(1)).status, (await read(2)).status];
  expect([posts.length, statuses]).toEqual([1, ["dead", "delivered"]]);
});

it.each<[number, string, string | null, unknown[]]>([
  [200, "delivered", null, []],
  [500, "dead", "cancelled", [["dead", "cancelled"]]],
])(
  "a call that is under way then goes on, and is recorded: answered with %i",
  async (answer, status, reason, list) => {
    const { add, cancel, bodies, stream, read, listed } = await waiting();
    const gate = Promise.withResolvers<void>();
    const posts = receiver(async () => {
      await gate.promise;
      return new Response("", { status: answer });
    });
    await add(1);
    await expect.poll(() => bodies).toHaveLength(1);
    const calling = consume("tributary-deliveries", bodies.splice(0));
    await expect.poll(() => posts.length).toBe(1);
    // It may be begun unasked for some seconds; after that nobody waits for it.
    const cancelling = cancel(1);
    await expect.poll(async () => (await read(1)).status).toBe("dead");
    later();
    expect((await cancelling).status).toBe(200);
    gate.resolve();
    await calling;
    expect(await read(1)).toMatchObject({ status, reason, attempts: 1 });
    vi.setSystemTime(Date.now() + 2 * LATER_MS);
    await runDurableObjectAlarm(stream);
    expect((await listed()).map(([, ...one]: unknown[]) => one)).toEqual(list);
    await expect.poll(() => bodies).toHaveLength(0);
  },
);

it("what is delivered before its message is too old to be begun unasked is not cancelled", async () => {
  const { add, cancel, stream, read } = await waiting();
  await add(1);
  const cancelling = cancel(1);
  await expect.poll(async () => (await read(1)).status).toBe("dead");
  const next = { kind: "delivered", at: Date.now() } as const;
  await stream.settle([
    { bundle: 1, outcomes: [{ seq: 1, n: 1, attempt: ATTEMPT, next }], last: true },
  ]);
  expect(await cancelling).toMatchObject({ status: 409 });
  expect((await read(1)).status).toBe("delivered");
});

it("a crash before the organization's list knows of it loses nothing", async () => {
  const { add, settle, cancel, stream, read, listed, idOf } = await waiting();
  await add(1);
  await settle(1, { kind: "held", reason: "queued" });
  await runInDurableObject(stream, (object) => {
    const { cancellation } = Reflect.get(object, "parts");
    const broken = {
      batch: () => Promise.reject(new Error("D1 is away")),
      prepare: () => ({ bind: () => ({}) }),
    };
    Reflect.get(cancellation, "doors").db = broken;
  });
  expect((await cancel(1)).status).toBe(500);
  const again = await restarted(stream);
  expect((await read(1)).reason).toBe("cancelled");
  await again.upkeep({ isOwnerless: false });
  await runDurableObjectAlarm(again);
  expect(await listed()).toEqual([[idOf(1), "dead", "cancelled"]]);
});

it("what is cancelled frees those behind it, is no trouble, and goes again only when it is asked for", async () => {
  const { add, settle, cancel, stream, bodies, destinationId, idOf, read } = await waiting();
  const posts = receiver(() => new Response("ok"));
  await add(2, { ordering: "source", blocks: true });
  await expect.poll(() => bodies).toHaveLength(1);
  await settle(1, { kind: "held", reason: "queued" });
  bodies.length = 0;
  expect((await cancel(1)).status).toBe(200);
  await expect.poll(() => bodies.map(({ items }) => items[0].seq)).toEqual([2]);
  const troubles = await countTroubles(env.DB, 1, { most: 10_000, groups: 1_000 });
  expect(troubles.causes.filter((one) => one.destinationId === destinationId)).toEqual([]);
  expect(await countExceptions(env.DB, 1, [destinationId])).toEqual(new Map());
  const wanted = { kind: "recover", from: 0 } as const;
  expect(await troubledStreams(env.DB, 1, destinationId, wanted)).toEqual([]);
  await consume("tributary-deliveries", bodies.splice(0));
  expect((await callV1("POST", `/deliveries/${idOf(1)}/resend`)).status).toBe(202);
  await expect.poll(() => bodies).toHaveLength(1);
  await consume("tributary-deliveries", bodies.splice(0));
  expect([posts.length, (await read(1)).status]).toEqual([2, "delivered"]);
  await runDurableObjectAlarm(stream);
  expect((await callV1("GET", `/deliveries?destinationId=${destinationId}`)).body.items).toEqual(
    [],
  );
});

it("what waits for a destination is cancelled as paged work: of its own stream and of others, since an instant", async () => {
  const one = await waiting();
  const other = await waiting();
  await one.add(1);
  await one.settle(1, { kind: "held", reason: "queued" });
  later();
  const since = new Date().toISOString();
  await one.add(3);
  await one.settle(2, { kind: "delivered", at: 1 });
  await other.add(2, { destinationId: one.destinationId });
  await other.add(1);
  const noted = (await other.stream.notification(1))!;
  await env.DB.prepare(
    "INSERT INTO exceptions VALUES (?, 1, ?, ?, 'retrying', NULL, 1, NULL, ?, 0)",
  )
    .bind(noted.id, `1/instance:${other.id}`, one.destinationId, noted.notification.createdAt)
    .run();
  const path = `/destinations/${one.destinationId}/cancel`;
  expect((await callV1("POST", path, undefined, { since: "soon" })).body.error.field).toBe("since");
  const { status, body } = await callV1("POST", path, undefined, { since });
  expect(status).toBe(202);
  await eventually(async () => {
    await runDurableObjectAlarm(one.stream);
    await runDurableObjectAlarm(other.stream);
    return (await callV1("GET", `/jobs/${body.jobId}`)).body.status === "done" && true;
  });
  const states = async ({ read }: typeof one, count: number) =>
    Promise.all(Array.from({ length: count }, async (_, index) => (await read(index + 1)).status));
  expect([await states(one, 4), await states(other, 3)]).toEqual([
    ["held", "delivered", "dead", "dead"],
    ["dead", "dead", "sent"],
  ]);
  expect((await callV1("GET", `/jobs/${body.jobId}`)).body).toMatchObject({
    kind: "cancel",
    processed: 4,
  });
  expect((await callV1("POST", path)).status).toBe(202);
});

it("a resend while a call is under way is not undone by how that call ends", async () => {
  const { add, settle, stream, bodies, idOf, read } = await waiting();
  await add(1);
  await expect.poll(() => bodies).toHaveLength(1);
  expect((await callV1("POST", `/deliveries/${idOf(1)}/resend`)).status).toBe(202);
  await settle(1, { kind: "dead", at: 1, reason: "exhausted" });
  await expect.poll(() => bodies).toHaveLength(2);
  expect(bodies[1].items).toMatchObject([{ seq: 1, n: 2, tries: 1, forced: true }]);
  expect(await read(1)).toMatchObject({ status: "sent", attempts: 1 });
  const outcome = {
    seq: 1,
    n: 2,
    attempt: { ...ATTEMPT, n: 2 },
    next: { kind: "dead", at: 2, reason: "gone" },
  } as const;
  await stream.settle([{ bundle: 1, outcomes: [outcome], last: true }]);
  expect(await read(1)).toMatchObject({ status: "dead", reason: "gone", attempts: 2 });
});
