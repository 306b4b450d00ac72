import { describe, expect, it } from "vitest";
import { forwardedHeaders } from "../../src/flows/triggers/content";
import { parseFilter } from "../../src/flows/list/filter";
import { projected } from "../../src/flows/flow";
import { matches, parseQuery } from "../../src/flows/logs/query";
import { matchesChange, matchesEvent, resourceKeys } from "../../src/flows/triggers/match";
import { nextMinuteOf } from "../../src/flows/triggers/schedule";

describe("small rules", () => {
  it("drops what proves who somebody is", () => {
    const headers = { authorization: "x", Cookie: "y", "x-api-key": "z", "x-a": "1" };
    expect(forwardedHeaders(Object.entries(headers))).toEqual({ "x-a": "1" });
  });

  it("reads filters with dots and negation, and projections both ways", () => {
    expect(parseFilter("customFields.plan:!gold")).toEqual({
      field: "customFields",
      path: ["plan"],
      value: "gold",
      negated: true,
    });
    const view = { flowId: "f", name: "n", flow: {} };
    expect(projected(view, "-flow")).toEqual({ flowId: "f", name: "n" });
    expect(projected(view, "name,nothing")).toEqual({ flowId: "f", name: "n" });
  });

  it("reads log queries, and refuses what is none", () => {
    const conditions = parseQuery('flowId:f1 AND msg:"Answered 2" AND componentId:ab*') ?? [];
    const hit = { flowId: "f1", msg: "Answered 2", componentId: "abc" };
    expect(matches(hit as any, conditions)).toBe(true);
    expect(matches({ ...hit, componentId: "b" } as any, conditions)).toBe(false);
    expect(parseQuery("severity:a OR b:c")).toBeUndefined();
  });

  it("finds the next minute of a schedule, and the events a trigger listens to", () => {
    const minute = Date.UTC(2026, 0, 1, 0, 2) / 60_000;
    expect(nextMinuteOf({ cron: "*/5 * * * *" }, minute)).toBe(minute + 3);
    expect(nextMinuteOf({ cron: "5 0 * * *" }, minute + 3)).toBe(minute + 3 + 1440);
    const event = { objectType: "accounts", eventType: "CREATED" };
    expect(matchesEvent({ properties: {} }, event)).toBe(true);
    expect(
      matchesEvent({ properties: { objectTypes: ["accounts"], eventTypes: ["created"] } }, event),
    ).toBe(true);
    expect(matchesEvent({ properties: { objectTypes: ["contacts"] } }, event)).toBe(false);
  });
});

describe("changes of resources", () => {
  const all = ["created", "updated", "deleted"];
  const scope = { kind: "Environment", name: "A" };
  const change = {
    type: "created" as const,
    group: "management",
    kind: "APIService",
    name: "a",
    scope,
  };

  it.each<[boolean, object, object]>([
    [true, { group: "management", kind: "APIService", name: "*", type: all }, {}],
    [true, { group: "*", kind: "*", name: "*", type: ["created"], scope }, {}],
    [true, { group: "*", kind: "*", name: "a", type: all, scope: { kind: "*", name: "*" } }, {}],
    [false, { group: "*", kind: "*", name: "*", type: ["updated"] }, {}],
    [
      false,
      { group: "*", kind: "*", name: "*", type: all, scope: { kind: "*", name: "*" } },
      { scope: null },
    ],
    [false, { group: "*", kind: "*", name: "*", type: all, scope: { ...scope, name: "B" } }, {}],
    [false, { group: "*", kind: "*", name: "*", type: all }, { kind: "Secret" }],
    [false, { group: "*", kind: "apiservice", name: "*", type: all }, {}],
  ])("start a flow: %s for %j", (expected, properties, other) => {
    expect(matchesChange({ properties: { ...properties } }, { ...change, ...other })).toBe(
      expected,
    );
  });

  it("are found under group and kind, each of them or any", () => {
    expect(resourceKeys(change)).toEqual([
      "management/APIService",
      "*/APIService",
      "management/*",
      "*/*",
    ]);
  });
});
