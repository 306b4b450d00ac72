import { describe, expect, it } from "vitest";
import { type NotificationView, withinAnswer } from "../../src/stream/history";
import { KEPT_BODY, keptHeaders, sentRequest, shownHeaders } from "../../src/delivery/record";

describe("headers of an answer", () => {
  it.each<[string, string, string]>([
    ["x-request-id", "abc-1", "abc-1"],
    ["cf-ray", "8f", "8f"],
    ["www-authenticate", "Basic realm=x", "********"],
    ["set-cookie", "sid=1", "********"],
    ["x-api-key", "k", "********"],
    ["x-session-token", "t", "********"],
    ["x-anything", "Bearer abc", "********"],
    ["location", "https://a.example/?token=t&x=1", "https://a.example/?token=********&x=1"],
    ["retry-after", "3", "3"],
    ["x-long", "y".repeat(3_000), "y".repeat(1_024)],
  ])("%s: %s are kept as %s", (name, value, kept) => {
    expect(keptHeaders(new Headers({ [name]: value }))).toEqual({ [name]: kept });
  });

  it("are kept as far as there is room, those that decide first", () => {
    const many = Array.from({ length: 300 }, (_, n): [string, string] => [
      `a-${n}`,
      "v".repeat(90),
    ]);
    const kept = keptHeaders(
      new Headers([...many, ["retry-after", "9"], ["webhook-delivery", "x"]]),
    );
    expect(kept).toMatchObject({ "retry-after": "9", "webhook-delivery": "x" });
    expect(Object.keys(kept).length).toBeGreaterThan(50);
    expect(JSON.stringify(kept).length).toBeLessThan(10_000);
  });

  it("with one that is too long keep the others", () => {
    const headers = new Headers({ "a-first": "v".repeat(9_000), "b-next": "1" });
    expect(keptHeaders(headers)).toEqual({ "b-next": "1" });
  });
});

it("signatures that receivers check are shown, whatever the case of their names; other secrets are not", () => {
  expect(
    shownHeaders({
      "webhook-signature": "v1,abc",
      "Elements-Webhook-Signature": "sha256=abc",
      "tributary-hops-signature": "s",
      "X-Signature": "mine",
      Authorization: "Basic x",
    }),
  ).toEqual({
    "webhook-signature": "v1,abc",
    "Elements-Webhook-Signature": "sha256=abc",
    "tributary-hops-signature": "********",
    "X-Signature": "********",
    Authorization: "********",
  });
});

describe("a request", () => {
  const request = { method: "PUT", url: "https://u:p@a.example/?key=k", headers: { a: "b" } };
  it.each<[string, string | Uint8Array | undefined, object]>([
    ["without a body", undefined, { body: "", encoding: "text", truncated: false }],
    ["with text", "é", { body: "é", encoding: "text", truncated: false }],
    [
      "with bytes",
      new Uint8Array([0, 255]),
      { body: "AP8=", encoding: "base64", truncated: false },
    ],
    ["as long as is kept", "x".repeat(KEPT_BODY), { truncated: false }],
    ["that is longer", "x".repeat(KEPT_BODY + 1), { body: "x".repeat(KEPT_BODY), truncated: true }],
  ])("%s is kept", (_, body, kept) => {
    const sent = sentRequest({ ...request, ...(body === undefined ? {} : { body }) });
    expect(sent).toMatchObject({ method: "PUT", headers: { a: "b" }, ...kept });
    expect(sent.url).not.toMatch(/u:p|=k/);
  });
});

it("a page of many notifications has the answers of the first, and what became of all", () => {
  const attempt = { n: 1, at: 1, status: 500, durationMs: 1, error: null, truncated: false };
  const answered = { ...attempt, responseHeaders: { a: "b" }, responseBody: "x".repeat(KEPT_BODY) };
  const request = sentRequest({ method: "GET", url: "http://a.example", headers: {} });
  const view: NotificationView = {
    id: "1",
    isSent: false,
    events: [],
    notification: {
      seq: 1,
      createdAt: 1,
      destinationId: "d",
      envelope: { format: "verbatim" },
      events: [],
      state: { kind: "retrying", at: 5 },
      tries: 1,
      attempts: [{ ...answered, request }],
    },
  };
  const shown = withinAnswer(Array.from({ length: 1_000 }, () => view));
  expect(JSON.stringify(shown).length).toBeLessThan(6_000_000);
  expect(shown[0]).toEqual(view);
  expect(shown.at(-1)?.notification.attempts).toEqual([
    { ...attempt, responseHeaders: {}, responseBody: "", truncated: true },
  ]);
});
