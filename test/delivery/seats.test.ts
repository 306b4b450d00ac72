import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Allowance } from "../../src/delivery/allowance";
import { CONCURRENCY, GRANT_MS, Seats } from "../../src/delivery/seats";

const NOW = Date.UTC(2026, 10, 21, 20);

describe("Seats", () => {
  it("grants half of what is free, so that every isolate finds some", () => {
    const room = new Seats();
    const granted = Array.from({ length: 8 }, (_, index) => room.grant(`isolate-${index}`, 0, NOW));
    expect(granted).toEqual([24, 24, 24, 14, 7, 4, 2, 1]);
    expect(room.grant("one-more", 0, NOW)).toBe(null);
  });

  it("grants anew to the same isolate in place of what it had", () => {
    const room = new Seats();
    for (let times = 0; times < 50; times += 1)
      expect(room.grant("isolate", 3, NOW + times * GRANT_MS)).toBe(27);
    expect(room.free(NOW + 50 * GRANT_MS)).toBe(73);
  });

  it("forgets an isolate that is silent, and a call that nobody reports on", () => {
    const room = new Seats();
    room.grant("isolate", 0, NOW);
    room.start([NOW, NOW]);
    expect(room.free(NOW + 5_999)).toBe(74);
    expect(room.free(NOW + 6_000)).toBe(98);
    expect(room.free(NOW + 40_000)).toBe(CONCURRENCY);
  });

  it("counts the calls of an isolate that outlast its grant as long as it tells of them", () => {
    const room = new Seats();
    room.grant("isolate", 0, NOW);
    for (let at = NOW + 1_000; at < NOW + 15_000; at += 1_000) {
      room.hold("isolate", 5, at);
      expect(room.free(at)).toBe(95);
    }
  });

  it("never has more than a hundred calls under way, whoever asks, calls, waits and is told when", () => {
    const step = fc.record({
      isolate: fc.nat({ max: 6 }),
      does: fc.constantFrom("begin", "begin", "begin", "end", "paced", "report"),
      times: fc.integer({ min: 1, max: 12 }),
      waitMs: fc.integer({ min: 0, max: 900 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const room = new Seats();
        const isolates = Array.from({ length: 7 }, () => new Allowance());
        let now = NOW;
        let paced: number[] = [];
        for (const { isolate, does, times, waitMs } of steps) {
          now += waitMs;
          for (const [id, one] of isolates.entries())
            if (one.mustReport(now)) room.hold(String(id), one.busy, now);
          paced = paced.filter((startedAt) => startedAt > now - 30_000);
          const own = isolates[isolate] ?? new Allowance();
          for (let time = 0; time < times; time += 1)
            if (does === "begin" && !own.take(now)) {
              const calls = room.grant(String(isolate), own.busy, now);
              if (calls !== null) own.granted(calls, now);
            } else if (does === "end" && own.busy > 0) own.release();
            else if (does === "paced" && room.free(now) > 0) {
              room.start([now]);
              paced.push(now);
            } else if (does === "report" && paced.length > 0) {
              paced.shift();
              room.end(1);
            }
          const busy = isolates.reduce((sum, one) => sum + one.busy, paced.length);
          expect(busy).toBeLessThanOrEqual(CONCURRENCY);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("Allowance", () => {
  it("begins as many calls as were granted, for a second", () => {
    const allowance = new Allowance();
    expect(allowance.take(NOW)).toBe(false);
    allowance.granted(2, NOW);
    expect([NOW, NOW, NOW].map((at) => allowance.take(at))).toEqual([true, true, false]);
    allowance.release();
    expect(allowance.take(NOW + GRANT_MS - 1)).toBe(true);
    allowance.release();
    expect(allowance.take(NOW + GRANT_MS)).toBe(false);
  });

  it("begins nothing once it is revoked, and tells of what is still under way, once a second", () => {
    const allowance = new Allowance();
    allowance.granted(2, NOW);
    allowance.take(NOW);
    allowance.revoke();
    expect(allowance.take(NOW)).toBe(false);
    const told = Array.from({ length: 40 }, (_, index) =>
      allowance.mustReport(NOW + index * 100),
    ).filter(Boolean);
    expect(told).toHaveLength(3);
    allowance.release();
    expect(allowance.mustReport(NOW + 60_000)).toBe(false);
  });
});
