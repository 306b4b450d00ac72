import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import type { VendorBudget } from "../../src/hub/budget/vendor-budget.object";

afterEach(() => void vi.useRealTimers());

const inBudget = (name: string, work: (budget: VendorBudget) => void) =>
  runInDurableObject(env.VENDOR_BUDGETS.getByName(name), (budget) => work(budget));

const fresh = { name: "a wake of 2", again: false };
const entered = { kind: "entered" };

it("an account is one poll's until it leaves, or gives no sign of life", () =>
  inBudget("alone-1", (budget) => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    expect(budget.enter("acme", "one")).toEqual(entered);
    expect(budget.enter("acme", "two")).toEqual({ kind: "behind", waits: false });
    expect(budget.enter("other", "two")).toEqual(entered);
    vi.setSystemTime(start + 15_000);
    expect(budget.enter("acme", "one")).toEqual(entered);
    vi.setSystemTime(start + 30_000);
    expect(budget.enter("acme", "two")).toMatchObject({ kind: "behind" });
    vi.setSystemTime(start + 35_001);
    expect(budget.enter("acme", "two")).toEqual(entered);
    budget.leave("acme", "one");
    expect(budget.enter("acme", "three")).toMatchObject({ kind: "behind" });
    budget.leave("acme", "two");
    expect(budget.enter("acme", "three")).toEqual(entered);
  }));

it("of a burst one stands in line, comes back as often as it takes, and none is lost once it is inside", () =>
  inBudget("alone-2", (budget) => {
    const again = { ...fresh, again: true };
    budget.enter("acme", "one");
    expect(budget.enter("acme", "two", fresh)).toEqual({ kind: "behind", waits: false });
    expect(budget.enter("acme", "three", fresh)).toEqual({ kind: "behind", waits: true });
    expect(budget.enter("acme", "two", again)).toEqual({ kind: "behind", waits: false });
    budget.leave("acme", "one");
    expect(budget.enter("acme", "two", again)).toEqual(entered);
    expect(budget.enter("acme", "three", fresh)).toEqual({ kind: "behind", waits: false });
  }));

it("who is in line and never comes back holds nobody up", () =>
  inBudget("alone-3", (budget) => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    budget.enter("acme", "one");
    budget.enter("acme", "two", fresh);
    vi.setSystemTime(start + 1_500);
    expect(budget.enter("acme", "three", fresh)).toMatchObject({ waits: true });
    vi.setSystemTime(start + 2_001);
    expect(budget.enter("acme", "three", fresh)).toMatchObject({ waits: false });
  }));
