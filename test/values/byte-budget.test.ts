import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteBudget } from "../../src/values/byte-budget";
import { cases } from "../cases";

const MOST = 12;

describe("a budget of bytes", () => {
  it("lets one in that is more than all of it, alone", () => {
    const budget = new ByteBudget(MOST);
    const large = budget.take(20, 0);
    expect(large).toBeDefined();
    expect(budget.take(1, 0)).toBeUndefined();
    budget.release(large as symbol);
    expect(budget.take(1, 0)).toBeDefined();
  });

  it("has room again for what was smaller than feared", () => {
    const budget = new ByteBudget(MOST);
    const one = budget.take(10, 0);
    expect(budget.take(5, 0)).toBeUndefined();
    budget.shrink(one as symbol, 7);
    expect(budget.take(5, 0)).toBeDefined();
  });

  it("gets back what somebody holds who was cut off, after a minute", () => {
    const budget = new ByteBudget(MOST);
    budget.take(MOST, 0);
    expect(budget.take(MOST, 59_999)).toBeUndefined();
    expect(budget.take(MOST, 60_000)).toBeDefined();
  });

  it("is never exceeded by several, whatever comes and goes", () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 15 }), releases: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const budget = new ByteBudget(MOST);
        const held: { name: symbol; bytes: number }[] = [];
        for (const { bytes, releases } of steps) {
          for (const { name } of held.splice(0, releases)) budget.release(name);
          const name = budget.take(bytes, 0);
          if (name !== undefined) held.push({ name, bytes });
          const sum = held.reduce((total, one) => total + one.bytes, 0);
          expect(held.length <= 1 || sum <= MOST).toBe(true);
        }
      }),
      { numRuns: cases(200, 20_000) },
    );
  });
});
