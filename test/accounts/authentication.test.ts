import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { forgetAskers } from "../../src/accounts/store";
import { createAccounts, signIn } from "../console/build";
import { setUpTwoStep } from "../console/two-step";
import { call, callV1, create, MINE } from "../elements/build";
import { hashOnce, ownOrganization } from "../organization";

/** Signing in on the connector surface (reference connector-events-api.md §1). */

beforeAll(createAccounts);
afterEach(() => forgetAskers());

const authenticate = (username: unknown, password: unknown, more: object = {}) =>
  call("POST", "/authentication", { username, password, ...more }, "");
const secretsOf = (token: string) =>
  call("GET", "/authentication/secrets", undefined, `Bearer ${token}`);

/** An owner who signed in, and what they send from then on. */
async function signedIn(own: { email: string; password: string }) {
  const { token } = (await authenticate(own.email, own.password)).body;
  const { status, body } = await secretsOf(token);
  expect(status).toBe(200);
  const { userSecret, organizationSecret } = body;
  return {
    token,
    userSecret,
    authorization: `User ${userSecret}, Organization ${organizationSecret}`,
  };
}

describe("signing in", () => {
  it("gives an owner a token, and for that the secrets that everything else asks for", async () => {
    const own = await ownOrganization();
    const first = await authenticate(` ${own.email.toUpperCase()} `, own.password);
    expect(first).toMatchObject({
      status: 200,
      body: { token: expect.any(String), twoFactor: false, registeredForTwoFactor: false },
    });
    const { status, body, headers } = await secretsOf(first.body.token);
    expect([status, Object.keys(body), headers.get("cache-control")]).toEqual([
      200,
      ["userSecret", "organizationSecret"],
      "no-store",
    ]);
    const mine = await signedIn(own);
    expect(mine.authorization).toBe(
      `User ${body.userSecret}, Organization ${body.organizationSecret}`,
    );
    const made = await create({}, {}, mine.authorization);
    expect((await call("GET", `/instances/${made.id}`, undefined, own.authorization)).status).toBe(
      200,
    );
    const byToken = `User ${mine.userSecret}, Element ${made.token}`;
    expect((await call("GET", "/instances/docs", undefined, byToken)).status).toBe(200);
    const audit = (await callV1("GET", "/audit", own.authorization)).body.items;
    const ofMember = expect.stringMatching(/^member:\d+$/);
    expect(audit).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: "instance.create", actor: ofMember }),
        expect.objectContaining({ action: "secrets.read", actor: ofMember }),
      ]),
    );
    expect(JSON.stringify(audit)).not.toContain(body.userSecret);
  });

  it.each<[string, unknown, unknown, number]>([
    ["a wrong password", "vera@mine.example", "wrong", 401],
    ["an unknown name", "nobody@mine.example", "password", 401],
    ["no name", undefined, "password", 400],
    ["an empty password", "vera@mine.example", "", 400],
    ["a number for a name", 5, "password", 400],
    ["a long password", "vera@mine.example", "p".repeat(1_025), 400],
  ])("with %s is refused", async (_, username, password, expected) => {
    const { status, body } = await authenticate(username, password);
    expect(status).toBe(expected);
    expect(body).toEqual({ requestId: expect.any(String), message: expect.any(String) });
  });

  it("waits after ten failures, as in the console", async () => {
    const { email, password } = await ownOrganization();
    for (let tries = 0; tries < 10; tries += 1)
      expect((await authenticate(email, "wrong")).status).toBe(401);
    await authenticate(email, "wrong");
    const { status, headers } = await authenticate(email, password);
    expect(status).toBe(429);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("asks for the second step of whoever set one up", async () => {
    const { email, password } = await ownOrganization();
    const { recoveryCodes } = await setUpTwoStep(await signIn(email, password), password);
    expect((await authenticate(email, password)).body.message).toContain("code");
    expect((await authenticate(email, password, { code: "000000" })).status).toBe(401);
    const right = await authenticate(email, password, { code: recoveryCodes[0] });
    expect(right).toMatchObject({ status: 200, body: { twoFactor: true } });
    expect((await secretsOf(right.body.token)).status).toBe(200);
  });
});

describe("an owner's secrets", () => {
  it.each(["vera@mine.example", "edith@mine.example"])("aren't told to %s", async (email) => {
    const name = email.slice(0, email.indexOf("@"));
    const { body } = await authenticate(email, `password-of-${name}`);
    expect((await secretsOf(body.token)).status).toBe(403);
  });

  it.each<[string, string]>([
    ["no token", ""],
    ["another token", "Bearer abc"],
    ["an API key", "Bearer api-key-of-mine"],
    ["the secrets", MINE],
  ])("aren't told for %s", async (_, authorization) => {
    const path = "/authentication/secrets";
    expect((await call("GET", path, undefined, authorization)).status).toBe(401);
  });

  it("don't fit together with another's, changed, or forged", async () => {
    const [one, other] = [
      await signedIn(await ownOrganization()),
      await signedIn(await ownOrganization()),
    ];
    const [user = "", organization = ""] = one.authorization.split(", ");
    const [otherUser = "", otherOrganization = ""] = other.authorization.split(", ");
    const forged = user.replace(/_\d+_/, `_${otherUser.split("_")[2]}_`);
    for (const authorization of [
      `${user}, ${otherOrganization}`,
      `${otherUser}, ${organization}`,
      `${user}x, ${organization}`,
      `${user}, Organization organization-secret-of-mine`,
      `User user-secret-of-mine, ${organization}`,
      `${forged}, ${organization}`,
      `${forged}, ${otherOrganization}`,
      organization.replace("Organization", "User"),
    ])
      expect((await call("GET", "/elements", undefined, authorization)).status).toBe(401);
  });

  it.each([
    ["lose the role", "UPDATE memberships SET role = 'editor' WHERE organization_id = ?"],
    ["leave", "DELETE FROM memberships WHERE organization_id = ?"],
    ["close the organization", "UPDATE organizations SET deleting_at = 1 WHERE id = ?"],
  ])("end when they %s", async (_, sql) => {
    const own = await ownOrganization();
    const { token, authorization } = await signedIn(own);
    expect((await call("GET", "/elements", undefined, authorization)).status).toBe(200);
    await env.DB.prepare(sql).bind(own.id).run();
    forgetAskers();
    expect((await call("GET", "/elements", undefined, authorization)).status).toBe(401);
    expect([401, 403]).toContain((await secretsOf(token)).status);
  });

  it("end with the password", async () => {
    const own = await ownOrganization();
    const { authorization } = await signedIn(own);
    await env.DB.prepare("UPDATE members SET password_hash = ? WHERE email = ?")
      .bind(hashOnce("another password"), own.email)
      .run();
    forgetAskers();
    expect((await call("GET", "/elements", undefined, authorization)).status).toBe(401);
  });
});
