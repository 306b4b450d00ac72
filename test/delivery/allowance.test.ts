import { describe, expect, it } from "vitest";
import { Allowance } from "../../src/delivery/allowance";
import { SLOW_MS } from "../../src/delivery/attempt";
import { Laggards } from "../../src/delivery/laggards";
import { headersOf, packed, unpacked } from "../../src/delivery/packing";
import { GRANT_MS } from "../../src/delivery/seats";

const granted = (allowance: Allowance, calls: number, at: number, givesBack = false): void => {
  const { turn, busy } = allowance.tell(at, calls);
  allowance.granted(turn, { calls: busy + calls, givesBack });
};

describe("an allowance", () => {
  it("lets as many calls be under way as were granted, and others as they end", () => {
    const allowance = new Allowance();
    expect(allowance.take(0)).toBeUndefined();
    granted(allowance, 2, 0);
    expect([1, 1, 1].map((at) => allowance.take(at))).toEqual([1, 1, undefined]);
    allowance.release(1);
    expect([allowance.take(2), allowance.take(2)]).toEqual([2, undefined]);
  });

  it("ends with its time, counted from when it was asked for, and when it is revoked", () => {
    const allowance = new Allowance();
    granted(allowance, 5, 100);
    expect(allowance.take(100 + GRANT_MS - 1)).toBeDefined();
    expect(allowance.take(100 + GRANT_MS)).toBeUndefined();
    granted(allowance, 5, 5_000);
    allowance.revoke();
    expect(allowance.take(5_001)).toBeUndefined();
  });

  it("begins nothing beyond what a message says until that one is answered", () => {
    const allowance = new Allowance();
    granted(allowance, 5, 0);
    allowance.take(1);
    const first = allowance.tell(2, 3);
    expect([first.busy, allowance.take(3)]).toEqual([1, undefined]);
    const second = allowance.tell(4, 3);
    allowance.granted(first.turn, { calls: 4, givesBack: false });
    expect(allowance.take(5)).toBeUndefined();
    allowance.granted(second.turn, { calls: 4, givesBack: false });
    expect(allowance.take(5)).toBe(5);
  });

  it("waits for its own seats when it got fewer than it wanted, and does not ask again", () => {
    const allowance = new Allowance();
    const { turn } = allowance.tell(0, 6);
    allowance.granted(turn, { calls: 2, givesBack: false });
    expect([1, GRANT_MS - 1, GRANT_MS].map((at) => allowance.fullForMs(at))).toEqual([
      GRANT_MS - 1,
      1,
      0,
    ]);
  });

  it("has seats to give back when the endpoint wants them and some are not used", () => {
    const allowance = new Allowance();
    granted(allowance, 2, 0);
    expect(allowance.hasSpare(1)).toBe(false);
    granted(allowance, 2, 1, true);
    allowance.take(2);
    expect(allowance.hasSpare(2)).toBe(true);
    allowance.take(2);
    expect(allowance.hasSpare(2)).toBe(false);
    allowance.release(2);
    allowance.tell(3);
    expect(allowance.hasSpare(3)).toBe(false);
  });

  it("must tell once a second of calls that outlast it", () => {
    const allowance = new Allowance();
    granted(allowance, 1, 0);
    expect(allowance.mustReport(GRANT_MS)).toBe(false);
    allowance.take(1);
    const told = Array.from({ length: 30 }, (_, index) => allowance.mustReport(index * 100));
    expect(told.flatMap((must, index) => (must ? index * 100 : []))).toEqual([1_000, 2_000]);
  });

  it("forgets calls of an invocation that was cut off, so that they hold no seats for ever", () => {
    const allowance = new Allowance();
    granted(allowance, 3, 0);
    allowance.take(1);
    expect([39_000, 40_001].map((at) => allowance.busy(at))).toEqual([1, 0]);
    allowance.release(1);
    expect(allowance.busy(40_002)).toBe(0);
  });
});

describe("laggards", () => {
  it("are those whose oldest call takes long, until that one ends", () => {
    const laggards = new Laggards();
    laggards.begin("d", 0);
    laggards.begin("d", 1_000);
    expect(laggards.has("d", SLOW_MS - 1)).toBe(false);
    expect(laggards.has("d", SLOW_MS)).toBe(true);
    expect(laggards.has("another", SLOW_MS)).toBe(false);
    laggards.end("d", 1_000);
    expect(laggards.has("d", SLOW_MS)).toBe(true);
    laggards.end("d", 0);
    expect(laggards.has("d", 9 * SLOW_MS)).toBe(false);
  });
});

describe("what is sent along", () => {
  it("comes out of its one sealed value as it went in", () => {
    const along = {
      headers: { "X-Own": "1" },
      query: { "a=b": "2", "?": "3" },
      operators: { "x-own": "4", "X-More": "5" },
    };
    expect(unpacked(packed(along))).toEqual(along);
    // An operator's header takes the place of the owner's, whatever its letters.
    expect(headersOf(along)).toEqual({ "x-own": "4", "X-More": "5" });
  });
});
