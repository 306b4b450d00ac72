import { beforeEach, describe, expect, it } from "vitest";
import { type Attempt, type Next, SLOW_MS } from "../../src/delivery/attempt";
import type { Notification } from "../../src/stream/event";
import { itemsOf, messageBytes } from "../../src/stream/outbox/message";
import { DestinationHealth } from "../../src/stream/outbox/destination-health";

const attempt = (durationMs: number): Attempt => ({
  n: 1,
  at: 1,
  status: 200,
  durationMs,
  error: null,
  responseHeaders: {},
  responseBody: "",
  truncated: false,
});
const notification = (change: Partial<Notification> = {}): Notification => ({
  seq: 1,
  createdAt: 1,
  destinationId: "d",
  envelope: { format: "verbatim" },
  events: [1],
  state: { kind: "delivered", at: 1 },
  tries: 1,
  attempts: [attempt(5)],
  ...change,
});
const delivered: Next = { kind: "delivered", at: 1 };
const failed: Next = { kind: "retrying", at: 9 };

describe("a destination's health in a stream", () => {
  let health: DestinationHealth;
  beforeEach(() => {
    health = new DestinationHealth();
  });
  const observe = (next: Next, durationMs?: number) =>
    health.observe(notification(), {
      seq: 1,
      n: 1,
      next,
      ...(durationMs === undefined ? {} : { attempt: attempt(durationMs) }),
    });

  it.each<[string, Next, number, boolean]>([
    ["answers fast", delivered, SLOW_MS - 1, true],
    ["answers slowly", delivered, SLOW_MS, false],
    ["fails", failed, 5, false],
  ])("of one that %s", (_, next, durationMs, expected) => {
    observe(next, durationMs);
    expect(health.isHealthy("d")).toBe(expected);
    const recalled = new DestinationHealth();
    const state = next.kind === "delivered" ? next : failed;
    recalled.learnFrom(notification({ state, attempts: [attempt(durationMs)] }));
    expect(recalled.isHealthy("d")).toBe(expected);
  });

  it("is lost with a failure, a call that lags, or a slow answer", () => {
    for (const loses of [
      () => observe(failed, 5),
      () => health.markSlow("d"),
      () => observe(delivered, SLOW_MS),
      () => health.learnFrom(notification({ state: failed })),
    ]) {
      observe(delivered, 5);
      expect(health.isHealthy("d")).toBe(true);
      loses();
      expect(health.isHealthy("d")).toBe(false);
    }
  });

  it("is none before the first call, and none of nowhere", () => {
    observe(delivered);
    health.learnFrom(notification({ attempts: [] }));
    health.learnFrom(notification({ destinationId: null }));
    expect([health.isHealthy("d"), health.isHealthy(null)]).toEqual([false, false]);
  });

  it("parks until somebody gets through or says that it is well", () => {
    observe({ kind: "parked", at: 50 });
    expect([health.parkedUntil("d"), health.parkedUntil("e"), health.parkedUntil(null)]).toEqual([
      50, 0, 0,
    ]);
    observe(failed, 5);
    expect(health.parkedUntil("d")).toBe(50);
    observe(delivered, 5);
    expect(health.parkedUntil("d")).toBe(0);
    observe({ kind: "parked", at: 60 });
    health.unpark("d");
    expect(health.parkedUntil("d")).toBe(0);
  });
});

describe("itemsOf", () => {
  it("carries bodies while they fit, and says of each how often and whether it failed before", () => {
    const big = "x".repeat(50_000);
    const three = [1, 2, 3].map((seq) =>
      notification({ seq, state: { kind: "parked", at: 3 }, released: true, forced: true }),
    );
    const items = itemsOf("1/instance:7", three, ({ seq }) => ({
      ok: true,
      body: seq === 3 ? "{}" : big,
    }));
    expect(items.map(({ id, body }) => [id, body?.length])).toEqual([
      ["7101", 50_000],
      ["7201", undefined],
      ["7301", undefined],
    ]);
    expect(items[0]).toMatchObject({ n: 2, tries: 1, parked: true, forced: true, noted: true });
    expect(items[0]).not.toHaveProperty("firstFailedAt");
    const message = { stream: "1/instance:7", bundle: 1, leaseUntil: 5, items };
    expect(messageBytes(message)).toBeGreaterThan(JSON.stringify(message).length);
  });

  it("says of what cannot be composed why, and carries its neighbours", () => {
    const items = itemsOf(
      "1/instance:7",
      [1, 2].map((seq) => notification({ seq })),
      ({ seq }) => (seq === 1 ? { ok: false, fault: "No date" } : { ok: true, body: "{}" }),
    );
    expect(items).toMatchObject([
      { seq: 1, unrenderable: "No date" },
      { seq: 2, body: "{}" },
    ]);
    expect(items[0]).not.toHaveProperty("body");
    expect(items[1]).not.toHaveProperty("unrenderable");
  });

  it("leaves out what goes nowhere, and tells the hops of what came through here before", () => {
    const elements = {
      format: "elements",
      elementKey: "box",
      hubKey: "documents",
      instanceId: 7,
      instanceName: "A",
      hops: 2,
    } as const;
    const [item, ...more] = itemsOf(
      "1/instance:7",
      [
        notification({ destinationId: null }),
        notification({ envelope: elements, firstFailedAt: 3 }),
      ],
      () => ({ ok: true, body: "{}" }),
    );
    expect(more).toEqual([]);
    expect(item).toMatchObject({
      hops: 2,
      firstFailedAt: 3,
      parked: false,
      forced: false,
      noted: false,
    });
  });
});
