import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Outcome } from "../../src/delivery/attempt";
import { destination, eventually, receiver, silence } from "../delivery/build";
import { keepingQueue } from "../polling/build";
import {
  ATTEMPT,
  commit,
  delivered,
  event,
  events,
  expireLeases,
  freshStream,
  restarted,
  type Stream,
  target,
} from "./build";

afterEach(() => vi.unstubAllGlobals());

/** Its source is there. */
const STAYS = { isOwnerless: false };
const LOST = { sendBatch: async () => {} };

const retrying = (seq: number, at: number, n = 1): Outcome => ({
  seq,
  n,
  attempt: { ...ATTEMPT, n, status: 500 },
  next: { kind: "retrying", at },
});

describe("commit", () => {
  it("cuts new events into notifications of at most ten", async () => {
    const stream = freshStream();
    const result = await stream.commit(commit({ events: events(25) }));
    expect(result).toMatchObject({ kind: "committed", notifications: 3 });
    const views = await stream.notifications({ before: null, limit: 10, withEvents: true });
    expect(views.map(({ events: held }) => held.length)).toEqual([5, 10, 10]);
  });

  it("takes the same event once, within a commit and over commits", async () => {
    const stream = freshStream();
    await stream.commit(commit({ events: [event("a"), event("a"), event("b")] }));
    const again = await stream.commit(commit({ events: [event("b"), event("c")] }));
    expect(again).toMatchObject({ accepted: ["c"], notifications: 1 });
  });

  it("refuses a cursor that another poll moved, and writes nothing", async () => {
    const stream = freshStream();
    const first = await stream.commit(commit({ expect: 0, cursor: "one" }));
    const late = await stream.commit(commit({ expect: 0, cursor: "two", events: events(3) }));
    expect(first).toMatchObject({ kind: "committed", version: 1 });
    expect(late).toEqual({ kind: "stale", version: 1 });
    expect(await stream.inspect()).toMatchObject({ cursor: "one" });
    expect(await stream.notifications({ before: null, limit: 10, withEvents: false })).toEqual([]);
  });

  it("shares one transaction among commits that arrive together", async () => {
    const stream = freshStream();
    await stream.commit(commit({ events: [event("warm")] }));
    const before = await stream.meter();
    await Promise.all(events(50, "t").map((one) => stream.commit(commit({ events: [one] }))));
    const after = await stream.meter();
    expect(after.rowsWritten - before.rowsWritten).toBeLessThanOrEqual(50 * 2);
    const { events: stored } = await stream.events({ after: 0, limit: 200 });
    expect(stored.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 51 }, (_, index) => index + 1),
    );
  });

  it("keeps keyed state beside the cursor", async () => {
    const stream = freshStream();
    await stream.commit(
      commit({
        state: [
          { key: "a", value: "1" },
          { key: "b", value: "2" },
        ],
      }),
    );
    await stream.commit(commit({ state: [{ key: "a", value: null }] }));
    expect(await stream.readState(["a", "b", "c"])).toEqual({ b: "2" });
  });

  it("stores an event of several megabytes and gives it back whole", async () => {
    const stream = freshStream();
    const data = JSON.stringify({ text: 'ä😀"'.repeat(700_000) });
    await stream.commit(commit({ events: [event("large", { data })] }));
    expect(await stream.notificationBody(1)).toBe(data);
  });
});

describe("the window", () => {
  it("holds fresh bundles back when it is full, and sends every one of them in the end, also after a crash", async () => {
    const stream = freshStream();
    const received = receiver(() => new Response());
    const { id, url: own } = await destination();
    const targets = [target({ destinationId: id, most: 1 })];
    const ids = (): Set<string | null> =>
      new Set(
        received.filter(({ url }) => url === own).map(({ headers }) => headers.get("webhook-id")),
      );
    // More than a window holds: 50 bundles of 10.
    const count = 600;
    await runInDurableObject(stream, (instance) => {
      // Nothing leaves before the crash: all messages of this life are lost.
      Reflect.set(instance, "env", { ...env, DELIVERIES: LOST, DELIVERIES_SLOW: LOST });
    });
    await stream.commit(commit({ targets, events: events(count) }));
    expect(ids().size).toBe(0);
    const again = await restarted(stream);
    // What the first life sent would be waited for.
    await runInDurableObject(again, (instance) =>
      Reflect.get(instance, "parts").dispatcher.assumeQueuedUntil(0),
    );
    expect(await runDurableObjectAlarm(again)).toBe(true);
    await eventually(async () => ids().size === count);
  });
});

describe("a full window", () => {
  it("is refilled by as many bundles as are settled together, whose events need not be searched for", async () => {
    const stream = freshStream();
    const batches: { bundle: number }[][] = [];
    const sendBatch = async (batch: { body: { bundle: number } }[]): Promise<void> => {
      batches.push(batch.map(({ body }) => body));
    };
    await runInDurableObject(stream, (instance) => {
      const queues = { DELIVERIES: { sendBatch }, DELIVERIES_SLOW: { sendBatch } };
      Reflect.set(instance, "env", { ...env, ...queues });
    });
    const targets = [target({ destinationId: (await destination()).id, most: 1 })];
    // A destination that answers quickly: all of them go by one lane.
    await stream.commit(commit({ targets, events: [event("first")] }));
    await stream.settle([{ bundle: 1, outcomes: [delivered(1)], last: true }]);
    batches.length = 0;
    const count = 100;
    for (const one of events(count)) await stream.commit(commit({ targets, events: [one] }));
    expect(batches.flat()).toHaveLength(50);
    const before = await stream.meter();
    for (let settled = 0; settled < count; settled += 10) {
      const bundles = batches.flat().slice(settled, settled + 10);
      await stream.settle(
        bundles.map(({ bundle }) => ({ bundle, outcomes: [delivered(bundle)], last: true })),
      );
    }
    expect(new Set(batches.flat().map(({ bundle }) => bundle)).size).toBe(count);
    // As others waited, the window grew by as many.
    expect(batches.slice(50).map(({ length }) => length)).toEqual([20, 20, 10]);
    const after = await stream.meter();
    expect((after.rowsRead - before.rowsRead) / count).toBeLessThan(5);
    expect(after.requests - before.requests).toBe(10);
  });
});

describe("commits", () => {
  it("wait for one another when deliveries fall behind, and make fewer bundles", async () => {
    const stream = freshStream();
    const { queue, bodies } = keepingQueue();
    await runInDurableObject(stream, (instance) => {
      Reflect.set(instance, "env", { ...env, DELIVERIES: queue, DELIVERIES_SLOW: queue });
    });
    const targets = [target({ destinationId: (await destination()).id, most: 1 })];
    const commitOne = (id: string) => stream.commit(commit({ targets, events: [event(id)] }));
    for (let n = 0; n < 40; n += 1) await commitOne(`e${n}`);
    expect(bodies).toHaveLength(40);
    const pauses: number[] = [];
    const over = Promise.withResolvers<void>();
    const really = scheduler.wait.bind(scheduler);
    const wait = vi.spyOn(scheduler, "wait").mockImplementation((ms) => {
      if (ms <= 50) pauses.push(ms);
      return ms > 0 && ms <= 50 ? over.promise : really(ms);
    });
    onTestFinished(() => wait.mockRestore());
    const all = Array.from({ length: 9 }, (_, n) => commitOne(`together-${n}`));
    while (pauses.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    // One more comes while they wait.
    all.push(commitOne("late"));
    const batched = (): Promise<number> =>
      runInDurableObject(
        stream,
        (instance) => Reflect.get(Reflect.get(instance, "parts").commits, "batch").length,
      );
    while ((await batched()) < all.length) await new Promise((resolve) => setTimeout(resolve, 5));
    over.resolve();
    await Promise.all(all);
    expect(bodies).toHaveLength(41);
    expect(pauses.filter((ms) => ms > 0)).toHaveLength(1);
    await stream.settle(
      bodies.splice(0).map(({ bundle, items }) => ({
        bundle,
        outcomes: items.map(({ seq }: { seq: number }) => delivered(seq)),
        last: true,
      })),
    );
    await commitOne("alone");
    expect(pauses.at(-1)).toBe(0);
    expect(bodies).toHaveLength(1);
  });
});

describe("what waited for its destination", () => {
  it("leaves as soon as that is well, though the object has slept and what it had on the queue may still come", async () => {
    const stream = freshStream();
    const keep = (one: Stream, { queue }: { queue: Queue }): Promise<unknown> =>
      runInDurableObject(one, (instance) =>
        Reflect.set(instance, "env", { ...env, DELIVERIES: queue, DELIVERIES_SLOW: queue }),
      );
    const before = keepingQueue();
    await keep(stream, before);
    const { id } = await destination();
    const targets = [target({ destinationId: id, most: 1 })];
    await stream.commit(commit({ targets, events: [event("parked")] }));
    await stream.commit(commit({ targets, events: [event("on the queue")] }));
    const next = { kind: "parked" as const, at: Date.now() + 3_600_000 };
    await stream.settle([{ bundle: 1, outcomes: [{ seq: 1, n: 1, next }], last: true }]);
    expect(before.bodies.map(({ bundle }) => bundle)).toEqual([1, 2]);
    const again = await restarted(stream);
    const after = keepingQueue();
    await keep(again, after);
    await again.resume(id, 1);
    expect(after.bodies.map(({ bundle }) => bundle)).toEqual([1]);
  });
});

describe("a lane", () => {
  it.each([
    ["fast for who was well before the object slept", 5, "fast"],
    ["slow for who was slow", 5_000, "slow"],
  ])("is %s", async (_, durationMs, lane) => {
    const stream = freshStream();
    receiver(silence);
    const { id } = await destination();
    const targets = [target({ destinationId: id })];
    await stream.commit(commit({ targets, events: [event("before")] }));
    const { attempt, ...outcome } = delivered(1);
    await stream.settle([
      {
        bundle: 1,
        outcomes: [{ ...outcome, attempt: { ...ATTEMPT, ...attempt, durationMs } }],
        last: true,
      },
    ]);
    const again = await restarted(stream);
    const sent: string[] = [];
    await runInDurableObject(again, (instance) => {
      const note = (name: string) => ({ sendBatch: async () => void sent.push(name) });
      Reflect.set(instance, "env", {
        ...env,
        DELIVERIES: note("fast"),
        DELIVERIES_SLOW: note("slow"),
      });
    });
    await again.commit(commit({ targets, events: [event("after")] }));
    expect(sent).toEqual([lane]);
  });

  it("lets live traffic pass a slow destination that fills its own, which then gets the rest, each once", async () => {
    const stream = freshStream();
    const [well, hangs] = [await destination(), await destination()];
    const sent: { lane: string; bundle: number }[] = [];
    const note = (lane: string) => ({
      sendBatch: async (batch: { body: { bundle: number } }[]) =>
        void sent.push(...batch.map(({ body }) => ({ lane, bundle: body.bundle }))),
    });
    await runInDurableObject(stream, (instance) => {
      const queues = { DELIVERIES: note("fast"), DELIVERIES_SLOW: note("slow") };
      Reflect.set(instance, "env", { ...env, ...queues });
    });
    const settle = (bundle: number, count: number) =>
      stream.settle([
        {
          bundle,
          outcomes: Array.from({ length: count }, (_, index) => delivered(bundle + index)),
          last: true,
        },
      ]);
    const to = ({ id }: { id: string }, prefix: string, count: number) =>
      commit({
        targets: [target({ destinationId: id, most: 1 })],
        events: events(count, prefix),
      });
    await stream.commit(to(well, "first", 1));
    await eventually(async () => sent.length === 1 && true);
    await settle(1, 1);
    await stream.commit(to(hangs, "hangs-", 600));
    await eventually(async () => sent.length === 51 && true);
    await stream.commit(to(well, "live", 1));
    await eventually(async () => sent.length === 52 && true);
    expect(sent.at(-1)).toEqual({ lane: "fast", bundle: 602 });
    for (let index = 0; index < 60; index += 1) {
      await eventually(async () => sent.some(({ bundle }) => bundle === 2 + 10 * index) && true);
      await settle(2 + 10 * index, 10);
    }
    expect(sent).toHaveLength(62);
    expect(new Set(sent.map(({ bundle }) => bundle)).size).toBe(62);
  });

  it("is slow for what jobs send anew and for what is late, so that live traffic goes first", async () => {
    const stream = freshStream();
    const { id } = await destination();
    const sent: string[] = [];
    const note = (lane: string) => ({
      sendBatch: async (batch: { body: { items: { seq: number }[] } }[]) =>
        void sent.push(
          ...batch.flatMap(({ body }) => body.items.map(({ seq }) => `${seq} ${lane}`)),
        ),
    });
    await runInDurableObject(stream, (instance) => {
      const queues = { DELIVERIES: note("fast"), DELIVERIES_SLOW: note("slow") };
      Reflect.set(instance, "env", { ...env, ...queues });
    });
    const toIt = (name: string) =>
      commit({ targets: [target({ destinationId: id })], events: [event(name)] });
    const settle = (seq: number, next: Outcome["next"], n = 1) =>
      stream.settle([{ bundle: seq, outcomes: [{ ...delivered(seq, n), next }], last: true }]);
    const at = Date.now();
    const well = { kind: "delivered", at } as const;
    await stream.commit(toIt("new"));
    await settle(1, { kind: "dead", at, reason: "gone" });
    await stream.commit(toIt("proves it is well"));
    await settle(2, well);
    await stream.commit(toIt("live"));
    await settle(3, well);
    const range = { from: 0, to: at + 60_000, objectType: null, eventType: null, fallbackId: null };
    await stream.startJob({ id: "job_a", kind: "recover", destinationId: id, ...range });
    await runDurableObjectAlarm(stream);
    await settle(1, well, 2);
    await stream.replay(3, { forced: true });
    await settle(3, well, 2);
    const unheard = event("unheard", { to: [], objectType: "others" });
    await stream.commit(commit({ targets: [], events: [unheard] }));
    const others = { ...range, objectType: "others" };
    await stream.startJob({ id: "job_b", kind: "replay", destinationId: id, ...others });
    while (sent.length < 6) await runDurableObjectAlarm(stream);
    await settle(4, well);
    const inOrder = target({ destinationId: id, most: 1, ordering: "source" });
    await stream.commit(commit({ targets: [inOrder], events: [event("first"), event("second")] }));
    vi.useFakeTimers({ toFake: ["Date"], now: at + 40_000 });
    onTestFinished(() => void vi.useRealTimers());
    await stream.settle([{ bundle: 5, outcomes: [delivered(5)], last: true }]);
    expect(sent).toEqual([
      "1 slow",
      "2 slow",
      "3 fast",
      "1 slow",
      "3 fast",
      "4 slow",
      "5 fast",
      "6 slow",
    ]);
  });
});

describe("open", () => {
  it("lets one holder in at a time, the same one again at once", async () => {
    const stream = freshStream();
    expect(await stream.open({ holder: "a" })).toMatchObject({
      kind: "opened",
      version: 0,
      cursor: null,
    });
    expect(await stream.open({ holder: "b" })).toMatchObject({ kind: "busy" });
    expect(await stream.open({ holder: "a" })).toMatchObject({ kind: "opened" });
  });

  it("refuses the commit of a lease that was given away", async () => {
    const stream = freshStream();
    const first = await stream.open({ holder: "a" });
    const second = await stream.open({ holder: "a" });
    if (first.kind !== "opened" || second.kind !== "opened") throw new Error("not opened");
    expect(await stream.commit(commit({ lease: first.lease, events: events(1) }))).toMatchObject({
      kind: "stale",
    });
    expect(await stream.commit(commit({ lease: second.lease, events: events(1) }))).toMatchObject({
      kind: "committed",
    });
  });

  it("writes no row", async () => {
    const stream = freshStream();
    const before = await stream.meter();
    await stream.open({ holder: "a" });
    expect((await stream.meter()).rowsWritten).toBe(before.rowsWritten);
  });
});

describe("settle", () => {
  it("ignores a settle that comes twice, as a message delivered twice brings it", async () => {
    const stream = freshStream();
    await stream.commit(commit({ events: events(1) }));
    await stream.settle([{ bundle: 1, outcomes: [delivered(1)], last: true }]);
    await stream.settle([{ bundle: 1, outcomes: [retrying(1, Date.now())], last: true }]);
    const view = await stream.notification(1);
    expect(view?.notification).toMatchObject({ state: { kind: "delivered" }, tries: 1 });
    expect(view?.notification.attempts).toHaveLength(1);
  });

  it("sends by another queue what one held that was removed", async () => {
    const streams = Array.from({ length: 8 }, (_, index) =>
      freshStream(`user:queue-${index}-of-several`),
    );
    const sent: { queue: string; stream: string }[] = [];
    const queue = (name: string) => ({
      sendBatch: async (batch: { body: { stream: string } }[]) => {
        sent.push(...batch.map(({ body }) => ({ queue: name, stream: body.stream })));
      },
    });
    const bindings = { DELIVERIES: queue("1"), DELIVERIES_SLOW: queue("1") };
    const added = { DELIVERIES_2: queue("2"), DELIVERIES_SLOW_2: queue("2") };
    const bind = (stream: Stream, queues: object): Promise<unknown> =>
      runInDurableObject(stream, (object) =>
        Reflect.set(object, "env", { ...env, ...bindings, ...queues }),
      );
    for (const stream of streams) {
      await bind(stream, added);
      await stream.commit(commit({ events: events(1), targets: [target()] }));
    }
    const moved = new Set(sent.filter((one) => one.queue === "2").map((one) => one.stream));
    expect(moved.size).toBeGreaterThan(0);
    expect(moved.size).toBeLessThan(streams.length);
    for (const stream of streams) {
      await bind(stream, {});
      await expireLeases(stream);
      await runDurableObjectAlarm(stream);
    }
    const again = sent.slice(streams.length);
    expect(again.map((one) => one.queue)).toEqual(streams.map(() => "1"));
    expect(new Set(again.map((one) => one.stream))).toEqual(new Set(sent.map((one) => one.stream)));
  });

  it("sends again what was sent and never settled, under the same id", async () => {
    const stream = freshStream();
    receiver(silence);
    const { id } = await destination();
    await stream.commit(commit({ events: events(1), targets: [target({ destinationId: id })] }));
    const before = await stream.notification(1);
    await expireLeases(stream);
    const sentBefore = (await stream.meter()).messages;
    expect(await runDurableObjectAlarm(stream)).toBe(true);
    expect((await stream.meter()).messages).toBe(sentBefore + 1);
    expect((await stream.notification(1))?.id).toBe(before?.id);
  });

  it("runs only what is due when an alarm fires early", async () => {
    const stream = freshStream();
    await stream.commit(commit({ events: events(1) }));
    await stream.settle([{ bundle: 1, outcomes: [retrying(1, Date.now() + 60_000)], last: true }]);
    const before = (await stream.meter()).messages;
    await runDurableObjectAlarm(stream);
    expect((await stream.meter()).messages).toBe(before);
    expect((await stream.notification(1))?.notification.state.kind).toBe("retrying");
  });
});

describe("ordering", () => {
  it("lets the next notification of an object leave only when the one before is settled", async () => {
    const stream = freshStream();
    receiver(silence);
    const { id } = await destination();
    const ordered = [target({ destinationId: id, ordering: "object", most: 1 })];
    await stream.commit(
      commit({
        targets: ordered,
        events: [
          event("1", { objectId: "x" }),
          event("2", { objectId: "x" }),
          event("3", { objectId: "y" }),
        ],
      }),
    );
    const kinds = async (): Promise<string[]> =>
      (await stream.notifications({ before: null, limit: 10, withEvents: false }))
        .map(({ notification }) => notification.state.kind)
        .toReversed();
    expect(await kinds()).toEqual(["pending", "waiting", "pending"]);
    await stream.settle([{ bundle: 1, outcomes: [delivered(1)], last: true }]);
    expect(await kinds()).toEqual(["delivered", "pending", "pending"]);
  });

  const DEAD: Outcome = {
    seq: 1,
    n: 1,
    attempt: { ...ATTEMPT, status: 500 },
    next: { kind: "dead", at: 1, reason: "exhausted" },
  };

  it.each([
    ["skipped: the next one leaves", undefined, "pending"],
    ["kept in its place: the next one waits", true as const, "waiting"],
  ])("has a dead head of a key %s", async (_, blocks, kind) => {
    const { stream, kinds } = await twoOfOneObject(blocks);
    await stream.settle([{ bundle: 1, outcomes: [DEAD], last: true }]);
    expect(await kinds()).toEqual(["dead", kind]);
  });

  it.each([
    ["is acknowledged", (stream: Stream) => stream.acknowledge(1), ["dead", "pending"]],
    [
      "is replayed and delivered",
      async (stream: Stream) => {
        await stream.replay(1);
        await stream.settle([{ bundle: 1, outcomes: [delivered(1, 2)], last: true }]);
      },
      ["delivered", "pending"],
    ],
    [
      "is replayed and still under way",
      (stream: Stream) => stream.replay(1),
      ["pending", "waiting"],
    ],
  ])("when a dead head that blocks %s, those behind it follow suit", async (_, act, expected) => {
    const { stream, kinds } = await twoOfOneObject(true);
    await stream.settle([{ bundle: 1, outcomes: [DEAD], last: true }]);
    await act(stream);
    expect(await kinds()).toEqual(expected);
  });

  async function twoOfOneObject(blocks: true | undefined) {
    const stream = freshStream();
    receiver(silence);
    const { id } = await destination();
    const ordered = target({ destinationId: id, ordering: "object", most: 1 });
    await stream.commit(
      commit({
        targets: [{ ...ordered, ...(blocks === undefined ? {} : { blocks }) }],
        events: [event("1", { objectId: "x" }), event("2", { objectId: "x" })],
      }),
    );
    const kinds = async (): Promise<string[]> =>
      (await stream.notifications({ before: null, limit: 10, withEvents: false }))
        .map(({ notification }) => notification.state.kind)
        .toReversed();
    return { stream, kinds };
  }
});

describe("purge", () => {
  it("deletes what is older than the retention, but keeps ids the source may show again", async () => {
    const stream = freshStream();
    const keepIdsSince = Date.UTC(2026, 0, 10);
    await stream.commit(
      commit({
        cursor: "c",
        keepIdsSince,
        retentionMs: 1,
        targets: [target({ destinationId: null })],
        events: [event("old"), event("kept", { date: keepIdsSince })],
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    await stream.upkeep(STAYS);
    expect((await stream.events({ after: 0, limit: 10 })).events).toEqual([]);
    const again = await stream.commit(
      commit({ events: [event("old"), event("kept", { date: keepIdsSince })] }),
    );
    expect(again).toMatchObject({ accepted: ["old"] });
    const { events: stored } = await stream.events({ after: 0, limit: 10 });
    expect(stored.map(({ seq }) => seq)).toEqual([3]);
  });

  it("forgets what lies in one row with its notification only when that is settled", async () => {
    const stream = freshStream();
    await stream.commit(commit({ retentionMs: 1, events: [event("open")] }));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await stream.upkeep(STAYS);
    expect(await stream.notificationBody(1)).toBe(JSON.stringify({ id: "open" }));
    await stream.settle([{ bundle: 1, outcomes: [delivered(1)], last: true }]);
    await stream.upkeep(STAYS);
    expect(await stream.notification(1)).toBeNull();
    expect((await stream.events({ after: 0, limit: 10 })).events).toEqual([]);
    expect(await stream.commit(commit({ events: [event("open")] }))).toMatchObject({
      accepted: ["open"],
    });
  });

  it("never gives a number twice, though everything was forgotten and the object woke up anew", async () => {
    const stream = freshStream();
    await stream.commit(commit({ retentionMs: 1, events: events(3) }));
    const { events: before } = await stream.events({ after: 0, limit: 10 });
    await stream.settle([{ bundle: 1, outcomes: [delivered(1)], last: true }]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await stream.upkeep(STAYS);
    const again = await restarted(stream);
    await again.commit(commit({ events: [event("next")] }));
    const { events: after } = await again.events({ after: 0, limit: 10 });
    expect([...before, ...after].map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });
});
