import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { FIRST, firstOrganization, MINE } from "../organization";

beforeAll(firstOrganization);

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
