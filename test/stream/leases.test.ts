import { describe, expect, it } from "vitest";
import { DELIVERY_LEASE_MS, Leases } from "../../src/stream/outbox/leases";

const MS = DELIVERY_LEASE_MS;

describe("the lease of a bundle", () => {
  it("is twice as long each time one ran out, up to eight times, and as before once the bundle is settled", () => {
    const leases = new Leases();
    let now = 0;
    const lasted = [1, 2, 3, 4, 5].map(() => {
      const until = leases.begin(7, now);
      expect(leases.expire(until - 1)).toEqual([]);
      expect(leases.expire(until)).toEqual([7]);
      const ms = until - now;
      now = until;
      return ms / MS;
    });
    expect(lasted).toEqual([1, 2, 4, 8, 8]);
    leases.begin(7, now);
    leases.end(7);
    expect(leases.begin(7, now) - now).toBe(MS);
  });

  it("is as long as the first for what no queue took", () => {
    const leases = new Leases();
    for (let now = 0; now < 10 * MS; now += MS) {
      leases.begin(1, now);
      leases.unsent([1, 2]);
      expect([leases.size, leases.expire(now + MS - 1), leases.expire(now + MS)]).toEqual([
        1,
        [],
        [1],
      ]);
    }
  });

  it("is extended for the message that has it, once, while it lasts", () => {
    const leases = new Leases();
    const until = leases.begin(1, 0);
    const extended = leases.extend(1, until, 40_000);
    expect(extended).toBe(40_000 + MS);
    // The same message, handed over twice.
    expect(leases.extend(1, until, 40_001)).toBe(null);
    expect(leases.expire(until)).toEqual([]);
    expect(leases.extend(1, 40_000 + MS, 40_000 + MS)).toBe(null);
    expect(leases.extend(2, until, 0)).toBe(null);
  });

  it("that ran out is not extended: the bundle may be on its way again", () => {
    const leases = new Leases();
    const first = leases.begin(1, 0);
    leases.expire(first);
    expect(leases.extend(1, first, first)).toBe(null);
    const second = leases.begin(1, first);
    expect(leases.extend(1, first, first + 1)).toBe(null);
    expect([leases.has(1), leases.sentAt(1), leases.ends]).toEqual([true, first, [second]]);
  });

  it("is remembered to have run out for so many bundles, and no more", () => {
    const leases = new Leases();
    for (let id = 1; id <= 6_000; id += 1) leases.begin(id, 0);
    leases.expire(MS);
    expect(leases.size).toBe(0);
    expect([1, 6_000].map((id) => leases.begin(id, 0) / MS)).toEqual([1, 2]);
  });
});
