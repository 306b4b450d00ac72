import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { call, create } from "../elements/build";
import { FIRST, firstOrganization, MINE } from "../organization";

beforeAll(firstOrganization);

/** Each route that names something by a number; `ID` is the number. */
const NAMED: [method: string, path: string][] = [
  ["GET", "/elements/api-v2/instances/ID"],
  ["PATCH", "/elements/api-v2/instances/ID"],
  ["GET", "/elements/api-v2/instances/ID/configuration"],
  ["PUT", "/elements/api-v2/instances/ID/enabled"],
  ["GET", "/elements/api-v2/instances/ID/events"],
  ["GET", "/elements/api-v2/instances/ID/docs"],
  ["GET", "/elements/api-v2/elements/sandbox/instances/ID"],
  ["GET", "/elements/api-v2/notifications/subscriptions/ID"],
  ["POST", "/elements/api-v2/events/sandbox/ID"],
  ["POST", "/v1/instances/ID/poll"],
  ["GET", "/v1/instances/ID/signing-secret"],
  ["GET", "/v1/streams/ID/events"],
  ["GET", "/v1/streams/instance:ID/events"],
  ["GET", "/v1/destinations/instance-ID"],
  ["GET", "/v1/users/ID"],
  ["PUT", "/v1/users/ID/verified-email"],
  ["GET", "/v1/members/ID/sessions"],
];

/** Other ways to write a number, which name nothing. */
const variants = (id: number): string[] => [
  `${id}e0`,
  `${id / 10}e1`,
  `0${id}`,
  `%2B${id}`,
  `-${id}`,
  `${id}.0`,
  `%20${id}`,
  `${id}%20`,
  `0x${id.toString(16)}`,
  `0b${id.toString(2)}`,
  `${id}n`,
];

describe("a numeric id in a path", () => {
  it.each(NAMED)("is digits alone: %s %s", async (method, path) => {
    const { id } = await create();
    const isElements = path.startsWith("/elements");
    const statuses: [string, number][] = [];
    for (const text of variants(id)) {
      const response = await exports.default.fetch(
        `https://tributary.example${path.replace("ID", text)}`,
        {
          method,
          headers: { authorization: isElements ? MINE : `Bearer ${FIRST.apiKey}` },
          ...(method === "GET" ? {} : { body: '{"email":"a@b.example"}' }),
        },
      );
      statuses.push([text, response.status]);
    }
    expect(statuses).toEqual(variants(id).map((text) => [text, 404]));
  });

  it("is the same instance's by digits", async () => {
    const { id } = await create();
    expect((await call("GET", `/instances/${id}`)).body.id).toBe(id);
  });
});
