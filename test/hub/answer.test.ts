import { describe, expect, it } from "vitest";
import { readAnswer } from "../../src/hub/answer";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const answered = (changes: {
  status?: number;
  text?: string;
  headers?: Record<string, string>;
  truncated?: boolean;
  fault?: string;
}) =>
  readAnswer(
    {
      kind: "answered",
      status: changes.status ?? 200,
      headers: new Headers(changes.headers),
      text: changes.text ?? "{}",
      truncated: changes.truncated ?? false,
      ...(changes.fault === undefined ? {} : { fault: changes.fault }),
    },
    "Acme",
    NOW,
  );

describe("readAnswer", () => {
  it("reads JSON, and an empty answer as nothing", () => {
    expect(answered({ text: '{"a":1}' })).toMatchObject({ kind: "json", value: { a: 1 } });
    expect(answered({ status: 204, text: " " })).toMatchObject({ kind: "json", value: undefined });
    expect(answered({ status: 304, text: "" })).toMatchObject({ kind: "json", value: undefined });
  });

  it.each<[string, Parameters<typeof answered>[0], string]>([
    ["HTML", { text: "<html>Sign in</html>" }, "The answer of Acme is not JSON"],
    ["cut JSON", { text: '{"Items":[{"ID":' }, "The answer of Acme is not JSON"],
    ["too much", { text: "{}", truncated: true }, "The answer of Acme is too large"],
  ])("takes %s for no answer", (_, changes, message) => {
    expect(answered(changes)).toEqual({ kind: "unreachable", message });
  });

  it.each([
    [200, "unreachable"],
    [204, "unreachable"],
    [401, "vendor-error"],
    [429, "vendor-error"],
    [503, "vendor-error"],
  ])("takes a %i whose body broke off for %s", (status, kind) => {
    const fault = "The body could not be read: lost";
    expect(answered({ status, text: '{"Items":[]}', fault })).toMatchObject({ kind });
  });

  it("tells why the vendor cannot be reached", () => {
    expect(
      readAnswer({ kind: "refused", error: "Address '10.0.0.1' is not public" }, "Acme", NOW),
    ).toEqual({
      kind: "unreachable",
      message: "Acme cannot be reached: Address '10.0.0.1' is not public",
    });
  });

  it.each<[string, string]>([
    ['{"Message":"Invalid date"}', "Invalid date"],
    ['{"error":{"code":"x","message":"No such field"}}', "No such field"],
    ['{"error":"invalid_grant","error_description":"Used"}', "Used"],
    ['{"error":"invalid_grant"}', "invalid_grant"],
    ['[{"message":"Session expired","errorCode":"INVALID_SESSION_ID"}]', "Session expired"],
    ['{"Fault":{"Error":[{"Message":"Stale","code":"5010"}]}}', "Stale"],
    ['{"error_summary":"reset/..","error":{".tag":"reset"}}', "reset/.."],
    ['{"odd":1}', '{"odd":1}'],
    ["<h1>Down</h1>\n", "<h1>Down</h1>"],
    ["", ""],
  ])("finds the vendor's own word in %s", (text, providerMessage) => {
    expect(answered({ status: 400, text })).toMatchObject({
      kind: "vendor-error",
      status: 400,
      message: "Acme answered with status 400",
      providerMessage,
    });
  });

  it.each<[string | undefined, number | undefined]>([
    ["7", NOW + 7_000],
    ["Thu, 01 Jan 2026 00:01:00 GMT", NOW + 60_000],
    ["7, 60", NOW + 60_000],
    ["60, 7", NOW + 60_000],
    [String(NOW + 7_000), NOW + 7_000],
    ["0", undefined],
    ["soon", undefined],
    ["Thu, 01 Jan 2025 00:00:00 GMT", undefined],
    [undefined, undefined],
  ])("reads Retry-After %s", (value, retryAt) => {
    const headers = value === undefined ? {} : { "retry-after": value };
    const answer = answered({ status: 429, headers });
    expect(answer.kind === "vendor-error" ? answer.retryAt : "no error").toBe(retryAt);
  });

  const inTwoMinutes = NOW / 1_000 + 120;
  it.each([
    ["ratelimit", "120"],
    ["x-ratelimit", "120"],
    ["x-ratelimit", `${inTwoMinutes}`],
    ["x-ratelimit", `${inTwoMinutes}000`],
    ["x-ratelimit", `${inTwoMinutes}000000`],
    ["x-rate-limit", `${inTwoMinutes}`],
    ["x-ratelimit", "2026-01-01T00:02:00Z"],
    ["x-ratelimit", "Thu, 01 Jan 2026 00:02:00 GMT"],
    ["x-ratelimit", "2m0s"],
    ["x-ratelimit", "in 120 s"],
  ])("waits two minutes for %s-reset: %s", (name, reset) => {
    const headers = { [`${name}-remaining`]: "0", [`${name}-reset`]: reset };
    expect(answered({ status: 429, headers })).toMatchObject({ retryAt: NOW + 120_000 });
    const left = answered({ status: 429, headers: { ...headers, [`${name}-remaining`]: "3" } });
    expect(left).not.toHaveProperty("retryAt");
  });

  it.each([
    [120, NOW + 120_000],
    ["120", NOW + 120_000],
    [NOW + 120_000, NOW + 120_000],
    [0, undefined],
    ["soon", undefined],
    [null, undefined],
  ])("waits as long as a refusal's body says: %o", (wait, at) => {
    const answer = answered({
      status: 429,
      text: JSON.stringify({ error: { retry_after: wait } }),
    });
    expect(answer.kind === "vendor-error" ? answer.retryAt : "no error").toBe(at);
  });

  it("takes a redirect for an error", () => {
    expect(answered({ status: 302, headers: { location: "https://x.example" } })).toMatchObject({
      kind: "vendor-error",
      status: 302,
    });
  });
});
