import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketsOf, intervalMs, tallyOf } from "../../src/stream/analytics";
import { composeBody } from "../../src/stream/body";
import type { DeliveryState, Envelope, Notification, StoredEvent } from "../../src/stream/event";
import { type EventFilter, fits } from "../../src/stream/filter";
import { preloadedFrom } from "../../src/stream/history";
import { operationalCommit } from "../../src/stream/operational-event";
import { shares } from "../../src/stream/outbox/share";

const stored = (change: Partial<StoredEvent> = {}): StoredEvent => ({
  id: "e",
  objectType: "accounts",
  objectId: "x",
  eventType: "CREATED",
  date: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  data: '{"n":1}',
  seq: 3,
  receivedAt: 100,
  notifications: [],
  ...change,
});

describe("fits", () => {
  it.each<[EventFilter, boolean]>([
    [{}, true],
    [{ objectType: "accounts", objectId: "x", eventType: "CREATED", from: 100, to: 100 }, true],
    [{ objectType: "Accounts" }, false],
    [{ objectId: "y" }, false],
    [{ eventType: "" }, false],
    [{ from: 101 }, false],
    [{ to: 99 }, false],
  ])("%j: %s", (filter, expected) => {
    expect(fits(filter, stored())).toBe(expected);
  });
});

describe("shares", () => {
  it.each<[number, number, number, [number, number]]>([
    [5, 5, 4, [2, 2]],
    [5, 5, 5, [3, 2]],
    [1, 9, 6, [1, 5]],
    [9, 1, 6, [5, 1]],
    [9, 0, 6, [6, 0]],
    [1, 1, 6, [1, 1]],
    [3, 3, 0, [0, 0]],
  ])("%i and %i of %i get %j", (first, second, room, expected) => {
    expect(shares(first, second, room)).toEqual(expected);
  });

  it("leaves no room while anybody wants it, and gives nobody less than half for another", () => {
    const count = fc.nat({ max: 100 });
    fc.assert(
      fc.property(count, count, count, (first, second, room) => {
        const [one, two] = shares(first, second, room);
        expect(one + two).toBe(Math.min(room, first + second));
        expect(one).toBeGreaterThanOrEqual(Math.min(first, Math.floor(room / 2)));
        expect(two).toBeGreaterThanOrEqual(Math.min(second, Math.floor(room / 2)));
      }),
    );
  });
});

describe("figures by time", () => {
  it("have an interval by name, and none by another", () => {
    expect(["minute", "hour", "day", "week", "toString"].map(intervalMs)).toEqual([
      60_000,
      3_600_000,
      86_400_000,
      undefined,
      undefined,
    ]);
  });

  it("have every bucket from first to last, both included", () => {
    expect(bucketsOf(0, 3_600_000, 60_000)).toHaveLength(61);
    expect(bucketsOf(61, 179, 60)).toEqual([60, 120]);
    expect(bucketsOf(60, 60, 60)).toEqual([60]);
  });

  it("count events when they came, and what became of them when their notification was made", () => {
    const of = (createdAt: number, state: DeliveryState, events: number[]) => ({
      createdAt,
      state,
      events,
    });
    const tallies = tallyOf(
      [
        { at: 130, count: 2 },
        { at: 60, count: 1 },
        { at: 119, count: 4 },
      ],
      [
        of(130, { kind: "delivered", at: 999 }, [1, 2]),
        of(61, { kind: "dead", at: 999, reason: "gone" }, [3]),
        of(61, { kind: "retrying", at: 999 }, [4]),
        of(300, { kind: "delivered", at: 999 }, [5]),
      ],
      60,
    );
    expect(tallies).toEqual([
      { at: 60, events: 5, delivered: 0, failed: 1 },
      { at: 120, events: 2, delivered: 2, failed: 0 },
      { at: 300, events: 0, delivered: 1, failed: 0 },
    ]);
  });
});

describe("a body", () => {
  const notification = (envelope: Envelope): Notification => ({
    seq: 2,
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 9, 999),
    destinationId: "d",
    envelope,
    events: [3],
    state: { kind: "pending", at: 0 },
    tries: 0,
    attempts: [],
  });
  const elements = {
    format: "elements",
    elementKey: "box",
    hubKey: "documents",
    instanceId: 7,
    instanceName: `<"R&D's">`,
  } as const;
  const numbers = stored({ data: '{"id":12345678901234567890}' });

  it("is the event itself, to the byte", () => {
    const body = composeBody(
      "1/user:1",
      notification({ format: "verbatim" }),
      [numbers],
      undefined,
    );
    expect(body).toBe(numbers.data);
  });

  it("of a vendor's webhook carries its body untouched, or null", () => {
    const raw = '{"big":12345678901234567890}';
    const body = composeBody("1/instance:7", notification(elements), [stored()], raw);
    expect(body).toContain(`"raw":${raw}`);
    expect(JSON.parse(body)).toMatchObject({
      eventId: "7201",
      topic: "instance-7-box-events",
      severity: "low",
      createdDateTime: "2026-01-02T03:04:09Z",
      message: {
        instanceName: "&lt;&quot;R&amp;D&#39;s&quot;&gt;",
        events: [
          {
            date: "2026-01-02T03:04:05Z",
            elementKey: "box",
            eventType: "CREATED",
            objectId: "x",
            objectType: "accounts",
          },
        ],
      },
    });
    const without = composeBody("1/instance:7", notification(elements), [stored()], undefined);
    expect(JSON.parse(without).message.raw).toBeNull();
  });

  it("of a poll carries the records under their resource, digits and all", () => {
    const envelope = {
      ...elements,
      polled: { objectType: "files", pollDate: Date.UTC(2026, 0, 2) },
    };
    const body = composeBody("1/instance:7", notification(envelope), [numbers, stored()], "unused");
    expect(body).toContain(`"files":[${numbers.data},{"n":1}]`);
    const { raw, events } = JSON.parse(body).message;
    expect(raw).toMatchObject({ instance_id: 7, objectType: "files", eventId: "7201", events });
    expect(events[0]).toMatchObject({ pollDate: "2026-01-02T00:00:00Z", hubKey: "documents" });
  });

  it("of a step tells what it is to be made from", () => {
    const step: Envelope = {
      format: "flow-step",
      flowId: "f",
      componentId: "P",
      sender: { componentId: "T", port: "out" },
      correlationId: "c",
      startedAt: 1,
      input: "content",
    };
    const body = composeBody("1/user:1", notification(step), [numbers], undefined);
    expect(body).toContain(numbers.data);
    const { id, objectType, objectId, eventType, date } = numbers;
    expect(JSON.parse(body)).toMatchObject({
      step,
      event: { id, objectType, objectId, eventType, date },
    });
  });
});

describe("what lies at hand", () => {
  it("is found by number; a vendor's body by the first event that came with it", () => {
    const segments = [
      { events: [stored({ seq: 1 }), stored({ seq: 2 })], raw: "a" },
      { events: [stored({ seq: 3 })] },
      { events: [], raw: "lost" },
    ];
    const { events, raws } = preloadedFrom(segments);
    expect([...events.keys()]).toEqual([1, 2, 3]);
    expect([...raws]).toEqual([[1, "a"]]);
  });
});

describe("an operational event", () => {
  const dead = { type: "delivery.dead", subject: "d", data: { id: "1" } } as const;
  it("is one event to the organization's callback, the same when it is told again", () => {
    const commit = operationalCommit(dead, "operations-1", 5);
    expect(commit.targets).toMatchObject([{ destinationId: "operations-1", most: 1 }]);
    expect(commit.events).toMatchObject([{ objectId: "d", eventType: "delivery.dead", to: [0] }]);
    expect(JSON.parse(commit.events[0]?.data ?? "")).toEqual({
      type: "delivery.dead",
      timestamp: "1970-01-01T00:00:00.005Z",
      data: { id: "1" },
    });
    const idOf = (subject: string, now: number) =>
      operationalCommit({ ...dead, subject }, null, now).events[0]?.id;
    expect(idOf("d", 5)).toBe(commit.events[0]?.id);
    expect(new Set([idOf("d", 5), idOf("e", 5), idOf("d", 6)]).size).toBe(3);
  });
});
