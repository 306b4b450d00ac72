import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventId, createdAtOfOnceId, onceId } from "../../src/stream/event-id";
import {
  instanceOfSource,
  instanceSource,
  notificationId,
  parseNotificationId,
  parseStreamName,
  streamName,
} from "../../src/stream/stream-name";
import { sha256 } from "../../src/values/bytes";

const id = fc.integer({ min: 1, max: 1e12 });
const seq = fc.integer({ min: 1, max: 1e12 });

describe("a stream's name", () => {
  it("tells its organization and its source, whatever slashes that has", () => {
    fc.assert(
      fc.property(id, fc.string({ minLength: 1 }), (organizationId, source) => {
        const name = { organizationId, source };
        expect(parseStreamName(streamName(name))).toEqual(name);
      }),
    );
  });

  it("tells an instance from everything else", () => {
    expect(instanceOfSource(instanceSource(42))).toBe(42);
    for (const source of [
      "instance:",
      "instance:0",
      "instance:042",
      "instance:4x",
      "user:42",
      "an instance:42",
    ])
      expect(instanceOfSource(source)).toBeUndefined();
  });
});

describe("a notification's id", () => {
  it("is digits for an instance, and leads back", () => {
    expect(notificationId("1/instance:7", 12)).toBe("71202");
    fc.assert(
      fc.property(id, seq, (instanceId, number) => {
        const text = notificationId(`1/instance:${instanceId}`, number);
        expect(text).toMatch(/^\d+$/);
        expect(parseNotificationId(text)).toEqual({ kind: "instance", instanceId, seq: number });
      }),
    );
  });

  it("leads back to any other stream", () => {
    fc.assert(
      fc.property(
        id,
        fc.string({ unit: "grapheme", minLength: 1 }),
        seq,
        (organizationId, name, number) => {
          const stream = `${organizationId}/scope:${name.toWellFormed()}`;
          fc.pre(!/[\n\r\u2028\u2029]/.test(stream));
          const text = notificationId(stream, number);
          expect(text).toMatch(/^n_[\w-]+_\d+$/);
          expect(parseNotificationId(text)).toEqual({ kind: "stream", stream, seq: number });
        },
      ),
    );
  });

  it.each([
    "",
    "1",
    "100",
    "00000",
    "71200",
    "71299",
    "7120x",
    "0101",
    "7001",
    "n_",
    "n__1",
    "n_!!!!_1",
    "n_MS9h_0",
    "n_MS9h_01",
    "n_MS9h",
    "n_YQ_1",
    "n_L2E_1",
    "n_gICA_1",
    "1".repeat(41),
    `1${"9".repeat(20)}20`,
  ])("'%s' is none", (text) => {
    expect(parseNotificationId(text)).toBeUndefined();
  });
});

describe("an event's id", () => {
  it("is the same for the same version of the same object, and for nothing else", () => {
    const parts = fc.tuple(fc.string(), fc.string(), fc.string(), fc.string());
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(eventId(...one)).toMatch(/^[0-9a-f]{32}$/);
        expect(eventId(...one) === eventId(...other)).toBe(
          JSON.stringify(one) === JSON.stringify(other),
        );
      }),
    );
    // Where one part ends is part of it; stored ids must never change.
    expect(eventId("a", "b", "c", "d")).not.toBe(eventId("a", "bc", "", "d"));
    expect(eventId("1/instance:1", "accounts", "x", "v")).toBe(
      sha256('["1/instance:1","accounts","x","v"]', "hex").slice(0, 32),
    );
  });

  it("made once tells when", () => {
    const random = "0123456789abcdef0123456789";
    expect(onceId(255, random)).toBe("0000000000ff0123456789abcdef0123");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 47 }), (now) => {
        const made = onceId(now, random);
        expect(made).toHaveLength(32);
        expect(createdAtOfOnceId(made)).toBe(now);
      }),
    );
    for (const text of [
      "",
      "x".repeat(32),
      onceId(5, random).toUpperCase(),
      `${onceId(5, random)}0`,
    ])
      expect(createdAtOfOnceId(text)).toBeUndefined();
  });
});
