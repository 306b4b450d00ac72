import { describe, expect, it } from "vitest";
import { isLeftBehind, statusWithoutBody, stepNext } from "../../../src/flows/steps/retry";

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
  it.each([
    [200, true, "retrying"],
    [204, true, "retrying"],
    [200, false, "delivered"],
    [299, false, "delivered"],
    [302, true, "dead"],
    [400, true, "dead"],
    [410, false, "dead"],
    [503, true, "retrying"],
    [503, false, "retrying"],
  ])("with a %i whose body breaks off, read below: %s, is %s", (status, isRead, kind) => {
    expect(next(statusWithoutBody(status, isRead)).kind).toBe(kind);
  });
  it("doubles from a minute to an hour, thirty times", () => {
    expect([2, 3, 6, 7, 30].map((tries) => next(500, tries))).toEqual(
      [120_000, 240_000, 1_920_000, 3_600_000, 3_600_000].map((at) => ({ kind: "retrying", at })),
    );
    expect(next(500, 31).kind).toBe("dead");
    expect(next(500, 1, { autoRetry: false }).kind).toBe("dead");
    expect(next(500, 3, { maxRetries: 2 }).kind).toBe("dead");
  });
});

describe("a run of an earlier start", () => {
  const started = 2_000;
  it.each<[string, boolean, number, { n: number; tries: number }]>([
    ["ends where it is, at its first try", true, 1_000, { n: 1, tries: 0 }],
    ["and at a retry", true, 1_000, { n: 4, tries: 3 }],
    ["except for what is sent again by hand", false, 1_000, { n: 5, tries: 0 }],
    ["a run of this start goes on", false, 2_000, { n: 1, tries: 0 }],
  ])("%s", (_, expected, startedAt, tried) => {
    expect(isLeftBehind({ startedAt }, { started }, tried)).toBe(expected);
  });

  it("is none while the flow was never started again", () => {
    expect(isLeftBehind({ startedAt: 1 }, { started: null }, { n: 1, tries: 0 })).toBe(false);
  });
});
