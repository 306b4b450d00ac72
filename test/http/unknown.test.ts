import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { FIRST, firstOrganization, MINE } from "../organization";

beforeAll(firstOrganization);

describe("a path of browsers that nobody knows", () => {
  it.each([
    "/nothing",
    "/nothing/at/all",
    "/files/1",
    "/flow",
    "/users",
    "/user/nothing",
    "/accounts",
    "/v2",
    "/apisx",
  ])("is a 404 in JSON with CORS, and OPTIONS is 204: %s", async (path) => {
    const headers = { origin: "https://app.example" };
    const url = `https://tributary.example${path}`;
    const found = await exports.default.fetch(url, { headers });
    expect([found.status, found.headers.get("access-control-allow-origin")]).toEqual([
      404,
      "https://app.example",
    ]);
    expect(await found.json()).toMatchObject({ statusCode: 404, error: "Not Found" });
    const asked = await exports.default.fetch(url, { method: "OPTIONS", headers });
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "https://app.example",
    ]);
  });

  it.each(["/health/nothing", "/console/nothing", "/openapi.json/x", "/docs/x", "/v1/nothing"])(
    "is of another surface, and without CORS: %s",
    async (path) => {
      const headers = { origin: "https://app.example" };
      const found = await exports.default.fetch(`https://tributary.example${path}`, { headers });
      expect(found.headers.get("access-control-allow-origin")).toBeNull();
    },
  );
});

describe("a path that nobody knows", () => {
  it.each<[string, string]>([
    ["", ""],
    ["/nothing", ""],
    ["/nothing/at/all", ""],
    ["/favicon.ico", ""],
    ["/elements", ""],
    ["/elements/api-v3/instances", ""],
    ["/elements/api-v2/nothing", MINE],
    ["/elements/api-v2/instances/1/nothing", MINE],
    ["/v1/nothing", `Bearer ${FIRST.apiKey}`],
    ["/v1", `Bearer ${FIRST.apiKey}`],
    ["/apis/nothing", `Bearer ${FIRST.apiKey}`],
    ["/events/nothing", `Bearer ${FIRST.apiKey}`],
    ["/flows/nothing/at/all", ""],
    ["/user/nothing", ""],
    ["/health/nothing", ""],
    ["/openapi.json/nothing", ""],
  ])("is told in JSON: %s", async (path, authorization) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      const response = await exports.default.fetch(`https://tributary.example${path}`, {
        method,
        headers: authorization === "" ? {} : { authorization },
      });
      const type = response.headers.get("content-type") ?? "";
      const isKnown = response.status < 400;
      expect({ path, method, status: response.status, json: isKnown || /json/.test(type) }).toEqual(
        {
          path,
          method,
          status: response.status,
          json: true,
        },
      );
      if (!isKnown) expect(typeof (await response.json())).toBe("object");
    }
  });
});
