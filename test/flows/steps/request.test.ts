import { describe, expect, it } from "vitest";
import { requestOf } from "../../../src/flows/steps/request";
import { responseContent } from "../../../src/flows/steps/response";

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
