import { describe, expect, it } from "vitest";
import {
  type Auth,
  authorizationOf,
  type OAuth2,
  tokenIn,
  tokenRequest,
  unmaskedAuth,
} from "../../src/delivery/auth";

const oauth2: OAuth2 = {
  type: "oauth2",
  tokenUrl: "https://auth.example/token",
  clientId: "id",
  clientSecret: "a b:c",
  authStyle: "header",
};
const basic = { type: "basic", username: "Ünal", password: "p:w" } as const;
const M = "********";

it.each<[string, Auth | undefined, string | undefined]>([
  ["name and password, in UTF-8", basic, "Basic w5xuYWw6cDp3"],
  ["a token", { type: "bearer", token: "t" }, "Bearer t"],
  ["nothing yet", oauth2, undefined],
  ["nothing", { type: "mtls", binding: "CERTIFICATE" }, undefined],
  ["nothing", undefined, undefined],
])("calls carry %s", (_, auth, expected) => expect(authorizationOf(auth)).toBe(expected));

describe("a token", () => {
  it.each<[Partial<OAuth2>, string | undefined, string]>([
    [{}, `Basic ${btoa("id:a%20b%3Ac")}`, "grant_type=client_credentials"],
    [
      { authStyle: "body", scope: "read write", audience: "https://api.example" },
      undefined,
      "grant_type=client_credentials&client_id=id&client_secret=a+b%3Ac&scope=read+write&audience=https%3A%2F%2Fapi.example",
    ],
  ])("is asked for with %j", (change, authorization, body) => {
    const request = tokenRequest({ ...oauth2, ...change });
    expect([request.headers["authorization"], request.body]).toEqual([authorization, body]);
  });

  it.each<[string, number, unknown, object]>([
    [
      "used until a minute before its end",
      200,
      { access_token: "t", token_type: "bearer", expires_in: 3600 },
      { token: "t", until: 3_541_000 },
    ],
    [
      "used for nine tenths of a short life",
      200,
      { access_token: "t", expires_in: "30" },
      { until: 28_000 },
    ],
    ["used for some minutes if nothing is said", 200, { access_token: "t" }, { until: 271_000 }],
    [
      "refused with a reason",
      401,
      { error: "invalid_client", error_description: "No such client" },
      { reason: "answered with 401: invalid_client: No such client" },
    ],
    ["refused without a reason", 500, "<html>", { reason: "answered with 500" }],
    ["not there", 200, {}, { reason: "answered without an access_token that can be sent" }],
    ["none for a header", 200, { access_token: "a\nb" }, { ok: false }],
    [
      "of another kind",
      200,
      { access_token: "t", token_type: "mac" },
      { reason: "answered with a token of the type 'mac'" },
    ],
  ])("is %s", (_, status, answer, expected) => {
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    expect(tokenIn({ status, text }, 1_000)).toMatchObject(expected);
  });
});

it("keeps a stored secret for its mask, of the same kind alone", () => {
  expect(unmaskedAuth({ ...basic, username: "u", password: M }, basic)).toEqual({
    ...basic,
    username: "u",
  });
  expect(unmaskedAuth({ ...basic, password: "new" }, basic)).toEqual({ ...basic, password: "new" });
  const bearer = { type: "bearer", token: M } as const;
  expect(unmaskedAuth(bearer, basic)).toEqual(bearer);
});
