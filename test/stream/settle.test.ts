import { describe, expect, it } from "vitest";
import type { Attempt, Next, Outcome } from "../../src/delivery/attempt";
import type { DeliveryState, Notification } from "../../src/stream/event";
import { isDue } from "../../src/stream/outbox/message";
import {
  applyOutcome,
  dueAt,
  blocksFollowers,
  isOpen,
  earliestDueAt,
  nextTry,
  resetForResend,
} from "../../src/stream/settle";

const NOW = 1_000;
const notification = (change: Partial<Notification> = {}): Notification => ({
  seq: 1,
  createdAt: NOW,
  destinationId: "d",
  envelope: { format: "verbatim" },
  events: [1],
  state: { kind: "pending", at: NOW },
  tries: 0,
  attempts: [],
  ...change,
});
const attempt = (n: number, at = NOW): Attempt => ({
  n,
  at,
  status: 500,
  durationMs: 1,
  error: null,
  responseHeaders: {},
  responseBody: "",
  truncated: false,
});
const outcome = (n: number, next: Next, tried = true): Outcome => ({
  seq: 1,
  n,
  next,
  ...(tried ? { attempt: attempt(n) } : {}),
});

describe("a notification that is", () => {
  it.each<[DeliveryState, number | null, boolean, boolean]>([
    // state, due at, open, holds up what is behind it
    [{ kind: "pending", at: 5 }, 5, true, true],
    [{ kind: "retrying", at: 6 }, 6, true, true],
    [{ kind: "parked", at: 7 }, 7, true, true],
    [{ kind: "waiting" }, null, true, true],
    [{ kind: "held" }, null, true, true],
    [{ kind: "kept" }, null, false, false],
    [{ kind: "delivered", at: 5 }, null, false, false],
    [{ kind: "dead", at: 5, reason: "gone" }, null, false, false],
  ])("%j", (state, due, open, holds) => {
    expect(dueAt(state)).toBe(due);
    expect(isOpen({ state })).toBe(open);
    expect(blocksFollowers({ state })).toBe(holds);
    expect(blocksFollowers({ state, blocks: true })).toBe(holds || state.kind === "dead");
    expect(isDue({ state }, (due ?? 0) - 1)).toBe(false);
    expect(isDue({ state }, due ?? 0)).toBe(due !== null);
  });

  it("due first is what the stream looks at next", () => {
    const of = (...states: DeliveryState[]) => earliestDueAt(states.map((state) => ({ state })));
    expect(of({ kind: "retrying", at: 9 }, { kind: "held" }, { kind: "pending", at: 4 })).toBe(4);
    expect(of({ kind: "held" }, { kind: "kept" })).toBeNull();
    expect(of()).toBeNull();
  });
});

describe("applyOutcome", () => {
  it("counts a try, remembers the first failure, and takes the next state", () => {
    const one = notification({ forced: true });
    expect(applyOutcome(one, outcome(1, { kind: "retrying", at: 50 }))).toBe(true);
    expect(one).toMatchObject({
      tries: 1,
      firstFailedAt: NOW,
      state: { kind: "retrying", at: 50 },
    });
    expect(one.forced).toBeUndefined();
    const later = { ...outcome(2, { kind: "retrying", at: 90 }), attempt: attempt(2, NOW + 500) };
    expect(applyOutcome(one, later)).toBe(true);
    expect(one).toMatchObject({ tries: 2, firstFailedAt: NOW });
    expect(one.attempts.map(({ n }) => n)).toEqual([1, 2]);
  });

  it("calls no success a failure", () => {
    const one = notification();
    applyOutcome(one, outcome(1, { kind: "delivered", at: NOW }));
    expect(one.firstFailedAt).toBeUndefined();
  });

  it("counts nothing when it was put off untried", () => {
    const one = notification();
    expect(applyOutcome(one, outcome(1, { kind: "parked", at: 99 }, false))).toBe(true);
    expect(one).toMatchObject({ tries: 0, attempts: [], state: { kind: "parked", at: 99 } });
    expect(nextTry(one)).toBe(1);
  });

  it.each<[string, Partial<Notification>, number]>([
    ["the same try again", { attempts: [attempt(1)], state: { kind: "retrying", at: 5 } }, 1],
    ["a try that is not the next", {}, 2],
    ["one that is delivered", { state: { kind: "delivered", at: 5 } }, 1],
    ["one that is held", { state: { kind: "held" } }, 1],
  ])("changes nothing for %s", (_, change, n) => {
    const one = notification(change);
    const before = structuredClone(one);
    expect(applyOutcome(one, outcome(n, { kind: "delivered", at: NOW }))).toBe(false);
    expect(one).toEqual(before);
  });

  it("keeps the last fifty tries, and numbers on", () => {
    const one = notification();
    for (let n = 1; n <= 60; n += 1) applyOutcome(one, outcome(n, { kind: "retrying", at: NOW }));
    expect(one.attempts).toHaveLength(50);
    expect([one.attempts[0]?.n, one.attempts.at(-1)?.n, one.tries]).toEqual([11, 60, 60]);
    expect(nextTry(one)).toBe(61);
  });
});

describe("release", () => {
  it("starts anew under the same number, its tries still told", () => {
    const one = notification({
      state: { kind: "dead", at: 5, reason: "exhausted" },
      tries: 6,
      firstFailedAt: 5,
      attempts: [attempt(6)],
    });
    resetForResend(one, 70, { forced: false, mayBeUnderWay: false });
    expect(one).toMatchObject({ state: { kind: "pending", at: 70 }, tries: 0, released: true });
    expect([one.firstFailedAt, one.forced, nextTry(one)]).toEqual([undefined, undefined, 7]);
    resetForResend(one, 80, { forced: true, mayBeUnderWay: false });
    expect(one.forced).toBe(true);
  });
});
