import { beforeAll, describe, expect, it } from "vitest";
import { ask, foundation, madeUser, newUser, type SignedIn } from "../accounts/ask";
import { callV1, THEIRS } from "../elements/build";
import { step, trigger } from "./build";

beforeAll(foundation);

const permissions = ["read", "start", "stop"];

/** Flows that are shared with somebody in each way. */
async function shares(email: string): Promise<Record<string, string>> {
  const { token } = await newUser();
  const make = async (share: object) => {
    const body = {
      name: "T",
      flow: { T: trigger(), P: step() },
      sharedWith: [{ ...share, permissions }],
    };
    return (await ask("POST", "/flows", { token, body })).body.flowId;
  };
  return {
    email: await make({ email: ` ${email.toUpperCase()} ` }),
    domain: await make({ domain: "YourApp.com" }),
    scope: await make({ scope: "user" }),
  };
}

/** Which of them a user sees, in lists and by id alike. */
async function seen({ token }: SignedIn, flows: Record<string, string>): Promise<string[]> {
  const list = await ask("GET", "/flows?limit=1000", { token });
  const listed = new Set(list.body.map(({ flowId }: { flowId: string }) => flowId));
  const ways: string[] = [];
  for (const [way, id] of Object.entries(flows)) {
    const { status } = await ask("GET", `/flows/${id}`, { token });
    expect(status).toBe(listed.has(id) ? 200 : 404);
    if (status === 200) ways.push(way);
  }
  return ways;
}

const verify = async (
  user: SignedIn,
  { email = user.email, authorization }: { email?: string; authorization?: string } = {},
) => {
  const { id } = (await ask("GET", "/user", user)).body;
  return callV1("PUT", `/users/${id}/verified-email`, authorization, { email });
};

describe("what is shared by e-mail or domain", () => {
  it("is not seen by whoever signs up under an address of it", async () => {
    const user = await newUser();
    const flows = await shares(user.email);
    expect(await seen(user, flows)).toEqual(["scope"]);
    const start = { token: user.token, body: { command: "start" } };
    const started = await ask("POST", `/flows/${flows["email"]}/coordinator`, start);
    expect(started.status).toBe(404);
  });

  it("is seen by whom the organization's own key made", async () => {
    const user = await madeUser();
    expect(await seen(user, await shares(user.email))).toEqual(["email", "domain", "scope"]);
  });

  it("is not seen by somebody of another organization, whoever made them", async () => {
    const { body } = await callV1("POST", "/keys", THEIRS, { name: "k", scopes: ["write"] });
    const user = await madeUser(body.key);
    expect(await seen(user, await shares(user.email))).toEqual([]);
  });

  it("is seen once the organization vouches for the address, until it doesn't", async () => {
    const user = await newUser();
    const flows = await shares(user.email);
    expect(await verify(user, { email: user.email.toUpperCase() })).toMatchObject({
      status: 200,
      body: { id: expect.any(String), email: user.email, emailVerified: true },
    });
    expect(await seen(user, flows)).toEqual(["email", "domain", "scope"]);
    const { id } = (await ask("GET", "/user", user)).body;
    const taken = await callV1("DELETE", `/users/${id}/verified-email`);
    expect(taken).toMatchObject({ status: 200, body: { id, emailVerified: false } });
    expect(await seen(user, flows)).toEqual(["scope"]);
  });

  it.each([
    ["another address", { email: "other@yourapp.com" }, 409, "email"],
    ["no address", { email: " " }, 400, "email"],
    ["another organization's word", { authorization: THEIRS }, 404, undefined],
  ])("does not become seen by %s", async (_, change, status, field) => {
    const user = await newUser();
    const flows = await shares(user.email);
    const answer = await verify(user, change);
    expect({ status: answer.status, field: answer.body.error.field }).toEqual({ status, field });
    expect(await seen(user, flows)).toEqual(["scope"]);
  });

  it("is not for users to bring about themselves", async () => {
    const user = await newUser();
    expect((await verify(user, { authorization: `Bearer ${user.token}` })).status).toBe(401);
    const body = {
      username: `x-${crypto.randomUUID()}@yourapp.com`,
      password: "a-good-password",
      isEmailVerified: true,
      emailVerifiedAt: 1,
    };
    const { token } = (await ask("POST", "/user", { body })).body;
    const signedUp = { token, email: body.username, password: body.password };
    expect(await seen(signedUp, await shares(body.username))).toEqual(["scope"]);
  });
});
