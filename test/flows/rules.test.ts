import { describe, expect, it } from "vitest";
import { forwardedHeaders } from "../../src/flows/triggers/content";
import { parseFilter, projected } from "../../src/flows/flow";
import { matches, parseQuery } from "../../src/flows/logs/query";
import { stepNext } from "../../src/flows/steps/retry";
import { requestOf, responseContent } from "../../src/flows/steps/request";
import { newIds, withIds } from "../../src/flows/templates/component-ids";
import { mergeThreeWay } from "../../src/flows/templates/merge";
import {
  matchesChange,
  matchesEvent,
  nextMinuteOf,
  resourceKeys,
} from "../../src/flows/triggers/match";
import { step, trigger } from "./build";

describe("retries of a step", () => {
  const errorHandling = { autoRetry: true, maxRetries: 30, onError: "storeUnprocessed" as const };
  const next = (status: number | null, tries = 1, change: object = {}) =>
    stepNext(
      { status },
      {
        errorHandling: { ...errorHandling, ...change },
        tries,
        retryAfter: undefined,
        now: 0,
        chance: 0,
      },
    );

  it.each([400, 401, 403, 404, 405, 406, 409, 410, 411, 418, 422, 451, 302])(
    "gives up at %i",
    (status) => expect(next(status).kind).toBe("dead"),
  );
  it.each([408, 429, 500, 502, 503, 504, 599, null])("tries again after %s", (status) =>
    expect(next(status)).toEqual({ kind: "retrying", at: 60_000 }),
  );
  it("doubles from a minute to an hour, thirty times", () => {
    expect([2, 3, 6, 7, 30].map((tries) => next(500, tries))).toEqual(
      [120_000, 240_000, 1_920_000, 3_600_000, 3_600_000].map((at) => ({ kind: "retrying", at })),
    );
    expect(next(500, 31).kind).toBe("dead");
    expect(next(500, 1, { autoRetry: false }).kind).toBe("dead");
    expect(next(500, 3, { maxRetries: 2 }).kind).toBe("dead");
  });
});

describe("the request of a step", () => {
  const url = "https://example.com/x?a=1";
  const made = (input: Record<string, unknown>, method: "GET" | "POST" = "POST") => {
    const verdict = requestOf(method, { url, ...input });
    return verdict.ok ? verdict.request : verdict.message;
  };

  it.each<[string, Record<string, unknown>, unknown]>([
    ["an object as JSON", { body: { a: 1 } }, { body: '{"a":1}', type: "application/json" }],
    ["JSON text as JSON", { body: '{"a": 1}' }, { body: '{"a": 1}', type: "application/json" }],
    ["other text as text", { body: "hi" }, { body: "hi", type: "text/plain; charset=utf-8" }],
    ["no body", {}, { body: undefined, type: undefined }],
    [
      "a form",
      { headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: { a: "1 2" } },
      { body: "a=1+2", type: "application/x-www-form-urlencoded" },
    ],
    [
      "bytes of base64",
      { body: "AAE=", bodyBase64Encode: true },
      { body: new Uint8Array([0, 1]), type: "application/octet-stream" },
    ],
  ])("sends %s", (_, input, expected) => {
    const request = made(input);
    if (typeof request === "string") throw new Error(request);
    expect({ body: request.body, type: request.headers["content-type"] }).toEqual(expected);
  });

  it("sends the body of a GET as query parameters", () => {
    expect(made({ body: { b: 2, c: { d: 1 } } }, "GET")).toMatchObject({
      url: "https://example.com/x?a=1&b=2&c=%7B%22d%22%3A1%7D",
      body: undefined,
    });
  });

  it("takes headers as JSON text", () => {
    expect(made({ headers: '{"X-A": 1}' })).toMatchObject({ headers: { "x-a": "1" } });
  });

  it.each<[string, Record<string, unknown>]>([
    ["a header that is ours", { headers: { "webhook-id": "x" } }],
    ["a header with a line break", { headers: { "x-a": "1\r\nx-b: 2" } }],
    ["headers that are no JSON", { headers: "{" }],
    ["a URL that is none", { url: "nope" }],
    ["a form with files", { bodyType: "form-data" }],
  ])("refuses %s", (_, input) => expect(made(input)).toBeTypeOf("string"));

  it("tells the answer with its content type in parts", () => {
    const answer = {
      status: 201,
      headers: [["content-type", 'application/json; charset="utf-8"']] as [string, string][],
      bytes: new TextEncoder().encode('{"a":1}'),
    };
    const request = { method: "POST" as const, url, headers: {} };
    expect(responseContent(answer, undefined, request)).toEqual({
      statusCode: 201,
      headers: { "content-type": { type: "application/json", parameters: { charset: "utf-8" } } },
      body: { a: 1 },
      request: { uri: url, method: "POST", headers: {} },
    });
    expect(responseContent(answer, "hex", request)["body"]).toBe("7b2261223a317d");
  });
});

describe("copies", () => {
  it("have new ids as keys, in source, in transform and in paths", () => {
    const modifiers = { body: { m1: { variable: "$.T.out.data", functions: [] } } };
    const flow = {
      T: trigger(),
      P: step({ url: "{{{$.T.out.data.url}}}", body: "{{{m1}}} $.T." }, modifiers),
    };
    let count = 0;
    const ids = newIds(flow, () => `id${(count += 1)}`);
    expect(ids).toEqual({ T: "id1", P: "id2" });
    expect(withIds(flow, ids)).toEqual({
      id1: trigger(),
      id2: {
        type: "appmixer.utils.http.Post",
        source: { in: { id1: ["out"] } },
        config: {
          transform: {
            in: {
              id1: {
                out: {
                  type: "json2new",
                  modifiers: { body: { m1: { variable: "$.id1.out.data", functions: [] } } },
                  lambda: { url: "{{{$.id1.out.data.url}}}", body: "{{{m1}}} $.T." },
                },
              },
            },
          },
        },
      },
    });
  });

  it("keep what their user changed when the template moves on", () => {
    const base = { a: { url: "old", method: "x" }, gone: 1, same: [1] };
    const mine = { a: { url: "mine", method: "x" }, gone: 1, same: [1], added: true };
    const theirs = { a: { url: "new", method: "y" }, same: [1, 2], fresh: 1 };
    expect(mergeThreeWay(base, mine, theirs)).toEqual({
      a: { url: "mine", method: "y" },
      same: [1, 2],
      fresh: 1,
      added: true,
    });
  });
});

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
