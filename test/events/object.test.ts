import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Outcome } from "../../src/delivery/attempt";
import { destination, receiver, silence } from "../delivery/build";
import { commit, event, events, freshStream, target } from "./build";

afterEach(() => vi.unstubAllGlobals());

const ATTEMPT = {
  n: 1,
  at: 1,
  status: 200,
  durationMs: 5,
  error: null,
  responseHeaders: {},
  responseBody: "",
  truncated: false,
};

const delivered = (seq: number, n = 1): Outcome => ({
  seq,
  n,
  attempt: { ...ATTEMPT, n },
  next: { kind: "delivered", at: Date.now() },
});

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
    await stream.settle(1, [delivered(1)]);
    await stream.settle(1, [retrying(1, Date.now())]);
    const view = await stream.notification(1);
    expect(view?.notification).toMatchObject({ state: { kind: "delivered" }, tries: 1 });
    expect(view?.notification.attempts).toHaveLength(1);
  });

  it("sends again what was sent and never settled, under the same id", async () => {
    const stream = freshStream();
    receiver(silence);
    const { id } = await destination();
    await stream.commit(commit({ events: events(1), targets: [target({ destinationId: id })] }));
    const before = await stream.notification(1);
    await runInDurableObject(stream, async (instance) => {
      Reflect.set(instance, "inFlight", new Map([[1, Date.now() - 1]]));
    });
    const sentBefore = (await stream.meter()).messages;
    expect(await runDurableObjectAlarm(stream)).toBe(true);
    expect((await stream.meter()).messages).toBe(sentBefore + 1);
    expect((await stream.notification(1))?.id).toBe(before?.id);
  });

  it("runs only what is due when an alarm fires early", async () => {
    const stream = freshStream();
    await stream.commit(commit({ events: events(1) }));
    await stream.settle(1, [retrying(1, Date.now() + 60_000)]);
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
    await stream.settle(1, [delivered(1)]);
    expect(await kinds()).toEqual(["delivered", "pending", "pending"]);
  });
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
    await runDurableObjectAlarm(stream);
    expect((await stream.events({ after: 0, limit: 10 })).events).toEqual([]);
    const again = await stream.commit(
      commit({ events: [event("old"), event("kept", { date: keepIdsSince })] }),
    );
    expect(again).toMatchObject({ accepted: ["old"] });
    const { events: stored } = await stream.events({ after: 0, limit: 10 });
    expect(stored.map(({ seq }) => seq)).toEqual([3]);
  });
});
