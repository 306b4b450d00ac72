import { describe, expect, it } from "vitest";
import type { Refusal } from "../../src/delivery/admission.io";
import type { DeliveryItem, Outcome } from "../../src/delivery/attempt";
import { exceptionsOf } from "../../src/delivery/exceptions";
import { attemptWithoutCall, returnOf } from "../../src/delivery/outcome";

const NOW = 1_000;
const item = (change: Partial<DeliveryItem> = {}): DeliveryItem => ({
  seq: 1,
  id: "msg_1",
  n: 1,
  tries: 0,
  createdAt: 500,
  parked: false,
  forced: false,
  noted: false,
  destinationId: "d",
  ...change,
});

describe("exceptionsOf", () => {
  const stream = { name: "1/instance:1", organizationId: 1 };
  const attempt = attemptWithoutCall(2, NOW, "Refused");
  const of = (outcome: Partial<Outcome> & Pick<Outcome, "next">, change?: Partial<DeliveryItem>) =>
    exceptionsOf(stream, [item(change)], [{ seq: 1, n: 2, ...outcome }], NOW);

  it.each<[string, Parameters<typeof of>[0], string, string | null, number, number | null]>([
    ["a retry", { attempt, next: { kind: "retrying", at: 1_500.4 } }, "retrying", null, 2, 1_500],
    [
      "a death",
      { attempt, next: { kind: "dead", at: NOW, reason: "exhausted" } },
      "dead",
      "exhausted",
      2,
      null,
    ],
    ["a hold before any try", { next: { kind: "held" } }, "held", null, 1, null],
  ])("records %s", (_, outcome, status, reason, attempts, nextAt) => {
    const row = ["msg_1", 1, "1/instance:1", "d", status, reason, attempts, nextAt, 500, NOW];
    expect(of(outcome)).toEqual({ rows: [row], recovered: [] });
  });

  it.each(["pending", "parked"] as const)("leaves the record of one that is %s", (kind) => {
    expect(of({ next: { kind, at: NOW } })).toEqual({ rows: [], recovered: [] });
  });

  it("forgets what is delivered, if it may have a record", () => {
    const next = { kind: "delivered", at: NOW } as const;
    expect(of({ attempt, next }).recovered).toEqual(["msg_1"]);
    expect(of({ n: 1, attempt, next }).recovered).toEqual([]);
    expect(of({ n: 1, attempt, next }, { noted: true }).recovered).toEqual(["msg_1"]);
  });
});

describe("returnOf", () => {
  const parked: Refusal = { kind: "parked", starts: [], returnAt: 9_000, probeAt: 4_000 };

  it("brings back at its time what a rate has no room for", () => {
    const answer: Refusal = { kind: "paced", starts: [], returnAt: 2_000 };
    expect(returnOf(answer, true, 0.5)).toEqual({ at: 2_000, parked: false });
  });

  it("parks what the endpoint calls back, and brings the rest after the next probe, spread over a second", () => {
    expect(returnOf(parked, true, 0.5)).toEqual({ at: 9_000, parked: true });
    expect(returnOf(parked, false, 0.5)).toEqual({ at: 4_500, parked: false });
  });
});
