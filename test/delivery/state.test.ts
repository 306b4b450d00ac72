import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attempt, DeadReason, Next, Outcome } from "../../src/delivery/attempt";
import { failingAfter, switchedOffBy } from "../../src/delivery/standing";
import { destinationState, isPaused, type Standing } from "../../src/delivery/state";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-21T20:00:00Z");

const on: Standing = { enabled: true, active: true, paused: null, failing: null };
const failing = { since: NOW, because: "Answered with 500" };
const paused = (by: "owner" | "receiver" | "exhaustion") => ({ by, since: NOW, because: "why" });

describe("the state of a destination", () => {
  it.each<[string, Partial<Standing>]>([
    ["active", {}],
    ["degraded", { failing }],
    ["paused by owner", { enabled: false, paused: paused("owner") }],
    ["paused by owner", { enabled: false, paused: paused("owner"), failing }],
    ["paused by receiver", { enabled: false, paused: paused("receiver") }],
    ["paused by exhaustion", { active: false, paused: paused("exhaustion"), failing }],
    ["paused by receiver", { enabled: false, active: false, paused: paused("receiver") }],
    // As a version before left them.
    ["paused by exhaustion", { active: false }],
    ["paused by owner or receiver", { enabled: false }],
    ["paused by owner or receiver", { enabled: false, active: false }],
  ])("is %s for %j", (name, change) => {
    expect(destinationState({ ...on, ...change }).name).toBe(name);
  });

  it("is paused exactly while one of its switches is off, and says why unless it is active", () => {
    const standing = fc.record<Standing>({
      enabled: fc.boolean(),
      active: fc.boolean(),
      paused: fc.option(fc.constantFrom(paused("owner"), paused("exhaustion"))),
      failing: fc.option(fc.constant(failing)),
    });
    fc.assert(
      fc.property(standing, (one) => {
        const state = destinationState(one);
        expect(isPaused(state)).toBe(!one.enabled || !one.active);
        expect(state.because === null).toBe(state.name === "active");
      }),
    );
  });
});

const attempt = (change: Partial<Attempt> = {}): Attempt => ({
  n: 1,
  at: NOW,
  status: 500,
  durationMs: 1,
  error: null,
  responseHeaders: {},
  responseBody: "",
  truncated: false,
  ...change,
});
const outcome = (next: Next, tried: Attempt | undefined = attempt()): Outcome => ({
  seq: 1,
  n: 1,
  next,
  ...(tried === undefined ? {} : { attempt: tried }),
});
const dead = (reason: DeadReason): Next => ({ kind: "dead", at: NOW, reason });
const delivered: Next = { kind: "delivered", at: NOW };

describe("a destination's failing", () => {
  it.each<[string, typeof failing | null, Outcome[], typeof failing | null | undefined]>([
    ["begins with a try that is made again", null, [outcome({ kind: "retrying", at: 1 })], failing],
    ["begins with one that is held", null, [outcome({ kind: "held" })], failing],
    ["begins with exhausted tries", null, [outcome(dead("exhausted"))], failing],
    ["begins with a refused address", null, [outcome(dead("refused"))], failing],
    [
      "isn't begun by what was not tried",
      null,
      [{ seq: 1, n: 1, next: { kind: "held" } }],
      undefined,
    ],
    [
      "begins with an open circuit",
      null,
      [{ seq: 1, n: 1, next: { kind: "parked", at: NOW + 1 } }],
      { since: NOW, because: "The circuit of its endpoint is open, after failures in a row" },
    ],
    ["isn't begun by a message's own fault", null, [outcome(dead("transform-failed"))], undefined],
    ["isn't begun by what the receiver gave up", null, [outcome(dead("aborted"))], undefined],
    ["stays as it began", failing, [outcome({ kind: "retrying", at: 1 })], undefined],
    ["ends with a delivery", failing, [outcome(delivered)], null],
    ["ends with one among failures", failing, [outcome(dead("gone")), outcome(delivered)], null],
    ["isn't begun beside a delivery", null, [outcome(dead("gone")), outcome(delivered)], undefined],
    ["isn't written while all is well", null, [outcome(delivered)], undefined],
  ])("%s", (_, before, outcomes, after) => {
    expect(failingAfter(before, outcomes, NOW)).toEqual(after);
  });
});

describe("exhausted tries", () => {
  const days = (n: number) => ({ ...failing, since: NOW - n * DAY_MS });
  it.each<[string, "instance" | "webhook" | "flow-step", object, number | null, boolean]>([
    ["a connector's callback, as its contract says", "instance", {}, 0, true],
    ["a connector's callback that never", "instance", { deactivate: "never" }, 9, false],
    ["a connector's callback after 5 days, not before", "instance", { deactivate: 5 }, 4.99, false],
    ["a connector's callback after 5 days", "instance", { deactivate: 5 }, 5, true],
    ["a webhook not before 5 days", "webhook", {}, 4.99, false],
    ["a webhook after 5 days", "webhook", {}, 5, true],
    ["a webhook that was delivered to just now", "webhook", {}, null, false],
    ["a webhook at once, if it says so", "webhook", { deactivate: "exhausted" }, 0, true],
    ["a webhook that says never", "webhook", { deactivate: "never" }, 30, false],
    ["a webhook after one day", "webhook", { deactivate: 1 }, 1, true],
    ["a flow's step never", "flow-step", {}, 30, false],
  ])("switch off %s", (_, kind, policy, since, expected) => {
    const given = {
      failing: since === null ? null : days(since),
      last: attempt({ status: 503 }),
      now: NOW,
    };
    const off = switchedOffBy("exhausted", { kind, policy }, given);
    expect(off !== undefined).toBe(expected);
    if (off !== undefined)
      expect(off).toMatchObject({
        column: "active",
        pause: { by: "exhaustion", since: NOW, because: expect.stringContaining("503") },
      });
  });
});
