import { beforeAll, describe, expect, it } from "vitest";
import { teamsNamed, tokenRequestOf } from "../../src/resources/agents";
import { type Client, freshClient, takeCallbacks, V1 } from "./build";

/** What an agent asks and sends, as the public SDK does. */

takeCallbacks();

let client: Client;
beforeAll(async () => {
  client = await freshClient();
  await client.make(`${V1}/environments`, { name: "e" });
});
const ENV = `${V1}/environments/e`;

const jwt = (claims: object): string =>
  ["{}", JSON.stringify(claims), "signature"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const GRANT = { grant_type: "client_credentials" };

describe("a token", () => {
  it.each([
    [
      { ...GRANT, client_secret: "key" },
      { ok: true, key: "key" },
    ],
    [
      { ...GRANT, client_assertion: jwt({ sub: "key" }) },
      { ok: true, key: "key" },
    ],
    [{ grant_type: "password" }, { ok: false, field: "grant_type" }],
    [GRANT, { ok: false }],
    [{ ...GRANT, client_secret: "" }, { ok: false }],
    [{ ...GRANT, client_assertion: "no.jwt.at-all" }, { ok: false }],
    [{ ...GRANT, client_assertion: jwt({ sub: 1 }) }, { ok: false }],
  ])("is asked for by %j", (fields, expected) => {
    expect(tokenRequestOf(form(fields))).toMatchObject(expected);
  });

  it("is the API key that the client id is, and nothing for what is no key", async () => {
    const path = "/realms/Broker/protocol/openid-connect/token";
    const headers = { "content-type": "application/x-www-form-urlencoded", authorization: "" };
    const ask = (sub: string) =>
      client.call(
        "POST",
        path,
        form({ ...GRANT, client_assertion: jwt({ sub }) }).toString(),
        headers,
      );
    const key = `key-of-organization-${client.organizationId}`;
    const { status, body } = await ask(key);
    expect([status, body]).toEqual([
      200,
      { access_token: key, token_type: "Bearer", expires_in: 3_600 },
    ]);
    expect((await ask("no-key")).status).toBe(401);
  });
});

describe("teams", () => {
  const team = { guid: "1", name: "Acme", default: true };

  it.each([
    [undefined, [team]],
    ['name=="acme"', [team]],
    ["name===other", []],
  ])("are found by %s", (query, teams) => {
    expect(teamsNamed([team], query)).toEqual({ ok: true, teams });
  });

  it.each(['id=="1"', "name==", "name!=a", "name==a;name==b"])("are not by %s", (query) => {
    expect(teamsNamed([team], query).ok).toBe(false);
  });

  it("are the organization, as the default one", async () => {
    const { body } = await client.call("GET", "/api/v1/platformTeams");
    expect(body).toEqual([{ guid: String(client.organizationId), name: "o", default: true }]);
    const { status } = await client.call("GET", "/api/v1/platformTeams?query=id==1");
    expect(status).toBe(400);
  });
});

describe("an agent", () => {
  it("finds a revision by the hash in its information", async () => {
    await client.make(`${ENV}/apiservices`, { name: "svc" });
    for (const name of ["one", "two"]) {
      await client.make(`${ENV}/apiservicerevisions`, { name, spec: { apiService: "svc" } });
      await client.call("PUT", `${ENV}/apiservicerevisions/${name}/information`, {
        information: { hash: `hash-of-${name}` },
      });
    }
    const { metadata } = (await client.call("GET", `${ENV}/apiservices/svc`)).body;
    const query = `metadata.references.id==${metadata.id};information.hash==hash-of-two`;
    const { body } = await client.call("GET", `${ENV}/apiservicerevisions?query=${query}`);
    expect(body.map(({ name }: any) => name)).toEqual(["two"]);
  });

  it("takes up a request that is new: it is pending, and active unless it says otherwise", async () => {
    const application = await client.make(`${ENV}/managedapplications`, {
      name: "app",
      status: null,
      spec: { security: { encryptionKey: "" } },
    });
    expect(application).toMatchObject({ spec: {}, status: { level: "Pending", reasons: [] } });
    await client.make(`${ENV}/credentialrequestdefinitions`, { name: "crd" });
    const credential = await client.make(`${ENV}/credentials`, {
      name: "credential",
      spec: {
        credentialRequestDefinition: "crd",
        managedApplication: "app",
        data: null,
        state: { name: "" },
      },
    });
    expect(credential.spec.state).toEqual({ name: "active" });
    const wrong = await client.call("PUT", `${ENV}/credentials/credential/status`, {
      status: { level: "Done" },
    });
    expect([wrong.status, wrong.body.errors[0].source.parameter]).toEqual([400, "status.level"]);
  });

  it("finds `//apis` where it finds `/apis`, as behind an address that ends with a slash", async () => {
    const { status, body } = await client.call("GET", `/${ENV}`);
    expect([status, body.name]).toEqual([200, "e"]);
  });

  it("chooses what becomes of members that no schema has", async () => {
    const put = (how: string) =>
      client.call("PUT", `${ENV}?unknownFields=${how}`, { spec: { nonsense: 1 } });
    const warned = await put("warn");
    expect(warned.body.metadata.warnings.map(({ code }: any) => code)).toEqual(["UnknownProperty"]);
    expect((await put("ignore")).body.metadata.warnings).toBeUndefined();
    expect((await put("error")).status).toBe(400);
    const names = Array.from({ length: 200 }, (_, n) => [`${"q".repeat(3_000)}${n}`, 1]);
    const { body } = await client.call("PUT", ENV, { spec: Object.fromEntries(names) });
    const details = body.metadata.warnings.map(({ detail }: any) => detail);
    expect(details).toHaveLength(100);
    expect(Math.max(...details.map(({ length }: any) => length))).toBeLessThan(500);
    const unknown = await put("sometimes");
    expect([unknown.status, unknown.body.errors[0].source.parameter]).toEqual([
      400,
      "unknownFields",
    ]);
  });
});
