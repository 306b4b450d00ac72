import { describe, expect, it } from "vitest";
import { Allowance } from "../../src/delivery/allowance";
import { SLOW_MS } from "../../src/delivery/attempt";
import { Laggards } from "../../src/delivery/laggards";
import { headersOf, packed, unpacked } from "../../src/delivery/packing";
import { GRANT_MS } from "../../src/delivery/seats";

describe("an allowance", () => {
  it("lets as many calls be under way as were granted, and others as they end", () => {
    const allowance = new Allowance();
    expect(allowance.take(0)).toBe(false);
    allowance.granted(2, 0);
    expect([1, 2, 3].map(() => allowance.take(1))).toEqual([true, true, false]);
    allowance.release();
    expect([allowance.hasRoom(1), allowance.take(1), allowance.take(1)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("ends with its time, counted from when it was asked for, and when it is revoked", () => {
    const allowance = new Allowance();
    allowance.granted(5, 100);
    expect(allowance.hasRoom(100 + GRANT_MS - 1)).toBe(true);
    expect(allowance.hasRoom(100 + GRANT_MS)).toBe(false);
    allowance.granted(5, 100);
    allowance.revoke();
    expect(allowance.hasRoom(101)).toBe(false);
  });

  it("must tell once of calls that outlast it", () => {
    const allowance = new Allowance();
    allowance.granted(1, 0);
    expect(allowance.mustReport(GRANT_MS)).toBe(false);
    allowance.take(1);
    expect(allowance.mustReport(GRANT_MS - 1)).toBe(false);
    expect([allowance.mustReport(GRANT_MS), allowance.mustReport(GRANT_MS + 1)]).toEqual([
      true,
      false,
    ]);
    expect(allowance.mustReport(2 * GRANT_MS)).toBe(true);
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
