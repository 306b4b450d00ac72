import { beforeAll, describe, expect, it } from "vitest";
import { call, callV1, create, createOrganizations, MINE, withToken } from "../elements/build";

beforeAll(createOrganizations);

const USER = "User user-secret-of-mine";
const ORGANIZATION = "Organization organization-secret-of-mine";

describe("the secrets of the connector surface", () => {
  it.each<[string, string]>([
    ["", "Expected 'Authorization"],
    ["Bearer api-key-of-mine", "Expected 'Authorization"],
    [USER, "Expected an 'Organization' secret or an 'Element' token"],
    [ORGANIZATION, "Expected a 'User' secret"],
    [`User wrong, ${ORGANIZATION}`, "Invalid User or Organization secret"],
    [`${USER}, Organization wrong`, "Invalid User or Organization secret"],
    [`${USER}, Organization organization-secret-of-theirs`, "Invalid User or Organization secret"],
    [`User, ${ORGANIZATION}`, "Expected a secret after 'User'"],
    [`${USER}, ${USER}, ${ORGANIZATION}`, "Authorization scheme 'User' is given twice"],
    [`${USER}, ${ORGANIZATION}, Token x`, "Authorization scheme 'Token'"],
  ])("refuses '%s' with 401", async (authorization, message) => {
    for (const path of ["/instances", "/instances/1", "/instances/1/events", "/elements"]) {
      const answer = await call("GET", path, undefined, authorization);
      expect(answer).toMatchObject({ status: 401 });
      expect(answer.body).toEqual({
        requestId: expect.stringMatching(/^[0-9a-f]{24}$/),
        message: expect.stringContaining(message),
      });
    }
  });

  it.each([
    `${ORGANIZATION}, ${USER}`,
    `user user-secret-of-mine,organization   organization-secret-of-mine`,
    `USER user-secret-of-mine , ORGANIZATION organization-secret-of-mine`,
  ])("are taken in any order and case: '%s'", async (authorization) => {
    const { id } = await create();
    expect(await call("GET", `/instances/${id}`, undefined, authorization)).toMatchObject({
      status: 200,
      body: { id },
    });
  });

  it("name the instance by its Element token, with and without the organization's secret", async () => {
    const made = await create();
    for (const authorization of [withToken(made), `${MINE}, Element ${made.token}`]) {
      const { status, body } = await call("GET", "/instances/docs", undefined, authorization);
      expect({ status, swagger: body.swagger }).toEqual({ status: 200, swagger: "2.0" });
    }
  });

  it.each(["wrong", "b3RoZXI="])("refuse the Element token '%s' with 401", async (token) => {
    const answer = await call("GET", "/instances/docs", undefined, withToken({ token }));
    expect(answer).toMatchObject({ status: 401, body: { message: "Invalid Element token" } });
  });

  it("refuse another organization's Element token with 401", async () => {
    const made = await create();
    const theirs = `User user-secret-of-theirs, Element ${made.token}`;
    expect((await call("GET", "/instances", undefined, theirs)).status).toBe(401);
  });

  it("refuse the token of an instance that was deleted with 401", async () => {
    const made = await create();
    expect((await call("DELETE", `/instances/${made.id}`)).status).toBe(200);
    expect((await call("GET", "/instances", undefined, withToken(made))).status).toBe(401);
  });
});

describe("the keys of our own surface", () => {
  it("are an API key, or the connector surface's secrets", async () => {
    const { id } = await create();
    for (const authorization of ["Bearer api-key-of-mine", MINE]) {
      const { status, body } = await callV1(
        "GET",
        `/instances/${id}/signing-secret`,
        authorization,
      );
      expect(status).toBe(200);
      expect(body).toEqual({ secret: expect.stringMatching(/^whsec_/) });
    }
  });

  it.each(["", "Bearer wrong", "Bearer", "Basic dTpw", "User user-secret-of-mine"])(
    "refuses '%s' with 401",
    async (authorization) => {
      const { status, body } = await callV1("GET", "/instances/1/signing-secret", authorization);
      expect(status).toBe(401);
      expect(body.error).toMatchObject({ code: "unauthenticated", requestId: expect.any(String) });
    },
  );
});
