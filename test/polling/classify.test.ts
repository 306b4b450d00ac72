import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readId } from "../../src/hub/field";
import { classify, hashDecision, newestFirst } from "../../src/polling/classify";
import type { Classification, DateRule, RecordDates } from "../../src/polling/classify";

const L = Date.parse("2017-08-30T10:00:00Z");
const S = L + 15 * 60_000;
const after = (seconds: number) => L + seconds * 1000;
const rule = (change: Partial<DateRule> = {}): DateRule => ({
  after: L,
  upTo: S,
  filterByUpdatedDate: true,
  filterByCurrentDate: false,
  toleranceMs: 0,
  ...change,
});
const ignored: Classification = { kind: "ignored" };
const later: Classification = { kind: "later" };
const created = (at: number): Classification => ({ kind: "emit", eventType: "CREATED", at });
const updated = (at: number): Classification => ({ kind: "emit", eventType: "UPDATED", at });

describe("classify", () => {
  const byCreated = { filterByUpdatedDate: false };
  const bounded = { filterByCurrentDate: true };

  it.each<[string, RecordDates, Partial<DateRule>, Classification]>([
    ["ignores U = L", { updated: L, created: L }, {}, ignored],
    ["ignores U < L", { updated: L - 1, created: L - 5 }, {}, ignored],
    ["ignores U <= L whatever C", { updated: L, created: after(60) }, {}, ignored],
    [
      "takes U - C = T for created",
      { updated: after(10), created: after(10) },
      {},
      created(after(10)),
    ],
    ["takes C > U for created", { updated: after(10), created: after(90) }, {}, created(after(10))],
    [
      "takes an old C within T for created",
      { updated: after(1), created: after(-1) },
      { toleranceMs: 2000 },
      created(after(1)),
    ],
    [
      "takes U - C > T for updated",
      { updated: after(10), created: after(10) - 1 },
      {},
      updated(after(10)),
    ],
    ["takes U without C for updated", { updated: after(10) }, {}, updated(after(10))],
    ["puts C for a missing U", { created: after(10) }, {}, created(after(10))],
    ["puts C for a missing U and ignores it", { created: L }, {}, ignored],
    ["finds a record without dates undated", {}, {}, { kind: "undated" }],
    ["by C: ignores C = L", { updated: after(60), created: L }, byCreated, ignored],
    ["by C: ignores C < L", { updated: after(60), created: L - 1 }, byCreated, ignored],
    ["by C: takes a missing U for created", { created: after(1) }, byCreated, created(after(1))],
    [
      "by C: takes U - C = T for created",
      { updated: after(3), created: after(1) },
      { ...byCreated, toleranceMs: 2000 },
      created(after(3)),
    ],
    [
      "by C: takes C > U for created",
      { updated: after(1), created: after(2) },
      byCreated,
      created(after(1)),
    ],
    [
      "by C: takes U - C > T for updated",
      { updated: after(4), created: after(1) },
      { ...byCreated, toleranceMs: 2000 },
      updated(after(4)),
    ],
    [
      "by C: filters nothing without C",
      { updated: L - 1 },
      byCreated,
      { kind: "undated", eventType: "UPDATED" },
    ],
    [
      "by C: filters nothing without dates",
      {},
      byCreated,
      { kind: "undated", eventType: "UPDATED" },
    ],
    ["leaves U > S for later", { updated: S + 1, created: S + 1 }, bounded, later],
    ["takes U = S now", { updated: S, created: L }, bounded, updated(S)],
    ["takes U > S without the bound", { updated: S + 1, created: L }, {}, updated(S + 1)],
    ["leaves C > S for later when there is no U", { created: S + 1 }, bounded, later],
    ["ignores U = L within bounds", { updated: L }, bounded, ignored],
    ["finds a record without dates undated within bounds", {}, bounded, { kind: "undated" }],
    [
      "by C: leaves U > S for later",
      { updated: S + 1, created: after(1) },
      { ...byCreated, ...bounded },
      later,
    ],
    [
      "by C: leaves U > S for later without C",
      { updated: S + 1 },
      { ...byCreated, ...bounded },
      later,
    ],
    [
      "by C: ignores C = L though U > S",
      { updated: S + 1, created: L },
      { ...byCreated, ...bounded },
      ignored,
    ],
  ])("%s", (_name, dates, change, expected) => {
    expect(classify(dates, rule(change))).toEqual(expected);
  });

  it("decides the worked example with T = 2 s", () => {
    const decide = (c: number, u: number) =>
      classify({ created: c, updated: u }, rule({ toleranceMs: 2000 }));
    expect(decide(L, L)).toEqual(ignored);
    expect(decide(after(60), after(62))).toEqual(created(after(62)));
    expect(decide(after(60), after(63))).toEqual(updated(after(63)));
  });

  it("emits one event when both dates are the same field", () => {
    const oneDate = (at: number) => classify({ updated: at, created: at }, rule(byCreated));
    expect(oneDate(L)).toEqual(ignored);
    expect(oneDate(after(1))).toEqual(created(after(1)));
  });

  const moments = fc.integer({ min: L - 20, max: L + 20 });
  const dates = fc.record({ updated: moments, created: moments }, { requiredKeys: [] });
  const rules = fc.record({
    after: moments,
    upTo: moments,
    filterByUpdatedDate: fc.boolean(),
    filterByCurrentDate: fc.boolean(),
    toleranceMs: fc.nat(10),
  });

  it("gives every record exactly one answer, dated by U, else C", () => {
    fc.assert(
      fc.property(dates, rules, (record, given) => {
        const answer = classify(record, given);
        expect(["ignored", "later", "emit", "undated"]).toContain(answer.kind);
        if (answer.kind === "emit") expect(answer.at).toBe(record.updated ?? record.created);
      }),
    );
  });

  it("never brings back a record when the last poll moves on", () => {
    fc.assert(
      fc.property(dates, rules, fc.nat(20), (record, given, step) => {
        if (classify(record, given).kind !== "ignored") return;
        expect(classify(record, { ...given, after: given.after + step })).toEqual(ignored);
      }),
    );
  });

  it("never leaves for later what an earlier bound took", () => {
    fc.assert(
      fc.property(dates, rules, fc.nat(20), (record, given, step) => {
        const answer = classify(record, given);
        if (answer.kind === "later") return;
        expect(classify(record, { ...given, upTo: given.upTo + step })).toEqual(answer);
      }),
    );
  });

  it("never turns created into updated when the tolerance grows", () => {
    fc.assert(
      fc.property(dates, rules, fc.nat(20), (record, given, step) => {
        const answer = classify(record, given);
        if (answer.kind !== "emit" || answer.eventType !== "CREATED") return;
        expect(classify(record, { ...given, toleranceMs: given.toleranceMs + step })).toEqual(
          answer,
        );
      }),
    );
  });

  it("takes a record in exactly one of two adjoining windows", () => {
    fc.assert(
      fc.property(moments, fc.boolean(), moments, (at, filterByUpdatedDate, boundary) => {
        const window = { filterByUpdatedDate, filterByCurrentDate: true, toleranceMs: 0 };
        const first = classify(
          { updated: at, created: at },
          { ...window, after: L - 30, upTo: boundary },
        );
        const second = classify(
          { updated: at, created: at },
          { ...window, after: boundary, upTo: L + 30 },
        );
        expect([first.kind, second.kind].filter((kind) => kind === "emit")).toHaveLength(1);
      }),
    );
  });
});

describe("hashDecision", () => {
  it.each([
    ["a", "a", false, false, "same"],
    ["a", "a", true, true, "same"],
    ["a", "b", false, false, "UPDATED"],
    ["a", "b", true, false, "UPDATED"],
    [undefined, "a", false, false, "CREATED"],
    [undefined, "a", true, false, "UPDATED"],
    [undefined, "a", true, true, "UPDATED"],
    [undefined, "a", false, true, "record-only"],
  ])(
    "after %s, %s (templated %s, first poll %s) is %s",
    (previous, hash, templated, firstPoll, decision) => {
      const kept = previous === undefined ? undefined : { hash: previous };
      expect(hashDecision(kept, hash, { templated, firstPoll })).toBe(decision);
    },
  );
});

describe("newestFirst", () => {
  it.each<[string, number[], boolean]>([
    ["believes five falling dates", [5, 4, 3, 2, 1], true],
    ["believes five dates with equals", [5, 5, 5, 5, 4], true],
    ["does not believe four", [5, 4, 3, 2], false],
    ["does not believe equal dates", [5, 5, 5, 5, 5], false],
    ["does not believe a rise", [5, 4, 3, 4, 1], false],
    ["does not believe oldest first", [1, 2, 3, 4, 5], false],
    ["does not believe nothing", [], false],
  ])("%s", (_name, seen, expected) => {
    expect(newestFirst(seen)).toBe(expected);
  });
});

describe("readId", () => {
  it.each<[unknown, string | undefined]>([
    ["F4F0", "F4F0"],
    [42, "42"],
    [0, "0"],
    [9007199254740993n, "9007199254740993"],
    ["", undefined],
    [null, undefined],
    [{}, undefined],
    [[1], undefined],
    [true, undefined],
    [Number.NaN, undefined],
  ])("reads %o as %s", (id, text) => {
    expect(readId({ id }, "id")).toBe(text);
  });

  it("finds no id in a record without one", () => {
    expect(readId({}, "id")).toBeUndefined();
    expect(readId(null, "id")).toBeUndefined();
    expect(readId({ a: 1 }, "")).toBeUndefined();
  });
});
