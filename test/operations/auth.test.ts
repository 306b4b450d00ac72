import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask } from "../accounts/ask";
import { type Received, receiver, silence } from "../delivery/build";
import { address, faultsOf, newEndpoints, type Shown } from "./endpoint";

/** How the calls of an endpoint prove who makes them. */

const M = "********";
let on: Awaited<ReturnType<typeof newEndpoints>>;

beforeAll(async () => {
  on = await newEndpoints();
});
afterEach(() => vi.unstubAllGlobals());

const authorizationsOf = (received: readonly Received[]) =>
  received.map(({ headers }) => headers.get("authorization"));

describe("basic and bearer", () => {
  it.each<[{ type: string; [field: string]: string }, string, string]>([
    [
      { type: "basic", username: "anna", password: "hush-hush" },
      "password",
      `Basic ${btoa("anna:hush-hush")}`,
    ],
    [{ type: "bearer", token: "hush-hush" }, "token", "Bearer hush-hush"],
  ])("go with each call, and are shown masked: %j", async (auth, secret, authorization) => {
    const url = address();
    const got = receiver(
      () => new Response(),
      (one) => one.url === url,
    );
    const one = await on.made({ url, auth });
    expect(one["auth"]).toEqual({ ...auth, [secret]: M });
    const again = await on.changed(one.id, { auth: one["auth"], rate: 5 });
    expect(again["auth"]).toEqual(one["auth"]);
    const [{ id }] = await on.send(one.id, "delivered");
    expect(authorizationsOf(got)).toEqual([authorization]);
    expect(await on.kept(one.id)).not.toContain("hush");
    const { body } = await ask("GET", `/v1/deliveries/${id}`, { headers: on.headers });
    expect(body.request.headers["authorization"]).toBe(M);
    expect((await on.changed(one.id, { auth: { type: "none" } }))["auth"]).toEqual({
      type: "none",
    });
    await on.send(one.id, "delivered");
    expect(authorizationsOf(got)).toEqual([authorization, null]);
  });
});

/** An endpoint that wants a token, its receiver, and what gives tokens: t1, then t2 … */
async function withTokens(
  takes: (authorization: string) => Response,
  gives: (n: number) => Response | Promise<Response> = (n) =>
    Response.json({ access_token: `t${n}`, expires_in: 60 }),
) {
  const [url, tokenUrl] = [address(), address()];
  const asked: Received[] = [];
  const got = receiver(
    (one) => {
      if (one.url !== tokenUrl) return takes(one.headers.get("authorization") ?? "");
      asked.push(one);
      return gives(asked.length);
    },
    (one) => one.url === url,
  );
  const auth = { type: "oauth2", tokenUrl, clientId: "id", clientSecret: "hush-hush" };
  const made: Shown = await on.made({
    url,
    retrySchedule: [0, 3_600],
    auth: { ...auth, scope: "send" },
  });
  return { id: made.id, auth: made["auth"], tokenUrl, asked, got };
}

describe("oauth2", () => {
  it("asks for one token, which all calls carry until it ends", async () => {
    const one = await withTokens(
      () => new Response(),
      (n) => Response.json({ access_token: `t${n}`, expires_in: n === 1 ? 1.5 : 60 }),
    );
    expect(one.auth).toMatchObject({ clientSecret: M, authStyle: "header", scope: "send" });
    const [{ id }] = await on.send(one.id, "delivered", ["a", "b", "c", "d", "e", "f"]);
    expect(authorizationsOf(one.got)).toEqual(Array.from({ length: 6 }, () => "Bearer t1"));
    expect(authorizationsOf(one.asked)).toEqual([`Basic ${btoa("id:hush-hush")}`]);
    expect(one.asked[0]?.body).toBe("grant_type=client_credentials&scope=send");
    await vi.waitFor(async () => {
      await on.send(one.id, "delivered");
      expect(authorizationsOf(one.got).at(-1)).toBe("Bearer t2");
    }, 10_000);
    expect(one.asked).toHaveLength(2);
    expect(await on.kept(one.id)).not.toContain("hush");
    const { body } = await ask("GET", `/v1/deliveries/${id}`, { headers: on.headers });
    expect(body.request.headers["authorization"]).toBe(M);
  });

  it("renews a token that is answered with 401, once, within the same try", async () => {
    let good = "Bearer t1";
    const takes = (given: string) => new Response("", { status: given === good ? 200 : 401 });
    const one = await withTokens(takes);
    await on.send(one.id, "delivered");
    good = "Bearer t2";
    const [{ notification }] = await on.send(one.id, "delivered");
    expect(notification.attempts.map(({ status }) => status)).toEqual([200]);
    expect(authorizationsOf(one.got)).toEqual(["Bearer t1", "Bearer t1", "Bearer t2"]);
    good = "none";
    const [failed] = await on.send(one.id, "retrying");
    expect(failed.notification.attempts.map(({ status }) => status)).toEqual([401]);
    expect(authorizationsOf(one.got).slice(3)).toEqual(["Bearer t2", "Bearer t3"]);
    expect(one.asked).toHaveLength(3);
  });

  it("fails a try for which it gets no token, says why, and asks no more often for what waits together", async () => {
    const one = await withTokens(
      () => new Response(),
      () =>
        Response.json(
          { error: "invalid_client", error_description: "hush-hush is wrong" },
          { status: 401 },
        ),
    );
    const views = await on.send(one.id, "retrying", Array.from("abcdefghijkl"));
    for (const { notification } of views)
      expect(notification.attempts).toMatchObject([
        {
          status: null,
          error: `No token: ${one.tokenUrl} answered with 401: invalid_client: ${M} is wrong`,
        },
      ]);
    expect([one.asked.length, one.got.length]).toEqual([1, 0]);
    const { body } = await on.call("GET", `/${one.id}`);
    expect(body.circuit.state).toBe("closed");
  });

  it("takes no longer than a call may: a token has half of that", async () => {
    const one = await withTokens(() => new Response(), silence);
    await on.changed(one.id, { timeoutMs: 1_000 });
    const [{ notification }] = await on.send(one.id, "retrying");
    expect(notification.attempts[0]?.error).toContain("No token: ");
    expect(one.got).toHaveLength(0);
  });

  it("is given its secret again where another address is to get it", async () => {
    const one = await withTokens(() => new Response());
    const shown = one.auth;
    await on.changed(one.id, { auth: { ...shown, scope: "other" } });
    const moved = await on.call("PATCH", `/${one.id}`, { auth: { ...shown, tokenUrl: address() } });
    expect([moved.status, faultsOf(moved.body)]).toEqual([400, ["auth.clientSecret"]]);
    await on.send(one.id, "delivered");
    expect(authorizationsOf(one.asked)).toEqual([`Basic ${btoa("id:hush-hush")}`]);
    expect(one.asked[0]?.body).toContain("scope=other");
  });
});

describe("mtls", () => {
  it("calls with the certificate of a binding", async () => {
    const auth = { type: "mtls", binding: "CLIENT_CERTIFICATE" };
    const one = await on.made({ auth });
    expect(one["auth"]).toEqual(auth);
    const [{ notification }] = await on.send(one.id, "delivered");
    expect(notification.attempts[0]?.responseHeaders).toMatchObject({ "x-certificate": "shown" });
  });
});

it.each<[string, object, string[]]>([
  ["of no kind", { auth: { type: "digest" } }, ["auth.type"]],
  ["no object", { auth: "Bearer x" }, ["auth"]],
  ["half said", { auth: { type: "basic" } }, ["auth.password", "auth.username"]],
  [
    "with a colon in a name",
    { auth: { type: "basic", username: "a:b", password: "" } },
    ["auth.username"],
  ],
  ["with a token of two words", { auth: { type: "bearer", token: "a b" } }, ["auth.token"]],
  ["with a mask for nothing", { auth: { type: "bearer", token: M } }, ["auth.token"]],
  [
    "with a token from an address that may not be called",
    {
      auth: {
        type: "oauth2",
        tokenUrl: "http://169.254.169.254/t",
        clientId: "a",
        clientSecret: "b",
      },
    },
    ["auth.tokenUrl"],
  ],
  [
    "with credentials in an address",
    {
      auth: {
        type: "oauth2",
        tokenUrl: "https://a.example/?token=x",
        clientId: "a",
        clientSecret: "b",
      },
    },
    ["auth.tokenUrl"],
  ],
  [
    "by a certificate that isn't there",
    { auth: { type: "mtls", binding: "NONE" } },
    ["auth.binding"],
  ],
  ["by what is no certificate", { auth: { type: "mtls", binding: "DB" } }, ["auth.binding"]],
  [
    "by another organization's certificate",
    { auth: { type: "mtls", binding: "CLIENT_CERTIFICATE_ORG_1" } },
    ["auth.binding"],
  ],
  [
    "beside what sets the same header",
    {
      auth: { type: "bearer", token: "t" },
      headers: { Authorization: "x" },
      signature: { header: "authorization", encoding: "hex" },
    },
    ["auth.type", "auth.type", "signature.header"],
  ],
])("is never %s", async (_, wants, fields) => {
  const { status, body } = await on.post(wants);
  expect([status, faultsOf(body)]).toEqual([400, fields]);
});

it("is refused where stored headers have its name, as are headers where it has theirs", async () => {
  const one = await on.made({ headers: { authorization: "x" } });
  const auth = { type: "bearer", token: "t" };
  const { body } = await on.call("PATCH", `/${one.id}`, { auth });
  expect(faultsOf(body)).toEqual(["auth.type"]);
  await on.changed(one.id, { auth, headers: {} });
  const twice = await on.call("PATCH", `/${one.id}`, { headers: { authorization: "x" } });
  expect(faultsOf(twice.body)).toEqual(["headers.authorization"]);
});
