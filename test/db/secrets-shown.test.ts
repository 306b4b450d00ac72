import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, newUser, type SignedIn } from "../accounts/ask";
import { TABLE } from "../accounts/routes-by-role";
import { connector, pathOf, Things } from "../accounts/things";
import { WORLD } from "../accounts/world";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { readDestination } from "../../src/delivery/destinations.store";
import { createAccounts, signIn } from "../console/build";
import { call, MINE } from "../elements/build";
import { eventually } from "../delivery/build";
import { step, trigger } from "../flows/build";
import { FIRST } from "../organization";

/**
 * A credential of each kind is given to the platform through every door that takes one: the database holds none in clear,
 * and no page or answer shows one, but where a contract has it (`SHOWN`).
 */

const mark = (name: string): string => `canary-${name}-7f3a`;
const MARKS = /canary-[a-z-]+-7f3a/g;
const M = "********";

/** What the contract shows an instance's owner (reference connector-events-api.md §4, §8). */
const OWN = [mark("callback-url"), mark("callback-header"), mark("inbound-token")];
const SHOWN: Record<string, string[]> = {
  "GET /elements/api-v2/instances": OWN,
  "GET /elements/api-v2/instances/:id": OWN,
  "GET /elements/api-v2/instances/:id/configuration": OWN,
  "GET /elements/api-v2/instances/configuration": OWN,
  "GET /elements/api-v2/elements/:element/instances": OWN,
  "GET /elements/api-v2/elements/:element/instances/:id": OWN,
  "GET /elements/api-v2/notifications/subscriptions": OWN,
  "GET /elements/api-v2/notifications/subscriptions/:id": OWN,
};

let user: SignedIn;
let things: Things;
let cookie = "";
let userId = "";
const V1 = "/apis/management/v1alpha1";
const callbackUrl = `http://127.0.0.1:9/secrets?token=${mark("callback-url")}`;
const keyed = (method: string, path: string, body: unknown, headers = {}) =>
  ask(method, path, { token: FIRST.apiKey, body, headers });

async function done(asked: Promise<{ status: number; body: any }>): Promise<any> {
  const { status, body } = await asked;
  expect({ status, body }).toMatchObject({ status: expect.toSatisfy((one: number) => one < 300) });
  return body;
}

const lambda = (headers: unknown) => ({
  url: `http://127.0.0.1:9/secrets-step?api_key=${mark("step-url")}`,
  headers,
});

async function giveSecrets(): Promise<void> {
  const { id } = await things.instance();
  await done(
    call("PATCH", `/instances/${id}`, {
      configuration: {
        "sandbox.api.key": mark("vendor"),
        "event.notification.callback.url": callbackUrl,
        "event.notification.callback.headers": JSON.stringify({
          "X-Api-Key": mark("callback-header"),
        }),
        "event.notification.signature.key": mark("signature"),
        "event.vendor.token": mark("inbound-token"),
      },
    }),
  );
  const headers = { Authorization: mark("connector-header"), "X-As": `Bearer ${mark("used")}` };
  const own = {
    ...connector(),
    key: await things.connector(),
    headers,
    configuration: [
      { key: "own.token", name: "Token", type: "PASSWORD", defaultValue: mark("default") },
    ],
  };
  await done(call("PUT", `/elements/${own.key}`, own));
  await done(
    keyed("PATCH", `/v1/destinations/instance-${id}`, {
      headers: { "X-Token": mark("operator-header") },
    }),
  );
  await giveEndpoints();
  const operationsCallback = { url: `https://ops.example/x?token=${mark("operations")}` };
  await done(keyed("PATCH", "/v1/organization", { operationsCallback }));
  await done(
    keyed("POST", `${V1}/environments/${await things.environment()}/webhooks`, {
      name: "secrets-shown",
      spec: {
        url: `http://127.0.0.1:9/secrets-hook?token=${mark("webhook-url")}`,
        headers: { "X-Token": mark("webhook-header"), "X-As": `Basic ${mark("webhook-used")}` },
      },
    }),
  );
  await done(
    keyed("POST", `${V1}/secrets`, {
      name: "secrets-shown",
      spec: { data: { k: mark("secret") } },
    }),
  );
  const json = `{"X-Token":"${mark("step-json-header")}"}`;
  const flow = {
    T: trigger("secrets-shown"),
    P: step(lambda({ Authorization: `Bearer ${mark("step-header")}` })),
    // Below `P`, whose request goes on in the run.
    Q: step(
      {},
      {},
      {
        source: { in: { P: ["response"] } },
        config: { transform: { in: { P: { response: { lambda: lambda(json) } } } } },
      },
    ),
  };
  const flowId = await things.flow();
  await done(ask("PUT", `/flows/${flowId}`, { token: user.token, body: { name: "F", flow } }));
  await done(ask("POST", `/flows/${flowId}/clone`, { token: user.token, body: {} }));
  await things.start(flowId);
  const calls = () =>
    vi.mocked(fetch).mock.calls.filter(([input]) => new Request(input).url.includes("-step"));
  const path = "/plugins/appmixer/utils/appevents/events/secrets-shown";
  await done(ask("POST", path, { token: user.token, body: {} }));
  await eventually(async () => calls().length >= 2);
}

/** Endpoints that call in each of the ways that take a secret. */
async function giveEndpoints(): Promise<void> {
  const url = "http://127.0.0.1:9/secrets-endpoint";
  const signature = { header: "x-own", encoding: "hex", secret: mark("profile") };
  const oauth2 = { type: "oauth2", tokenUrl: `${url}-token`, clientId: "c" };
  for (const auth of [
    { type: "basic", username: "u", password: mark("endpoint-basic") },
    { type: "bearer", token: mark("endpoint-bearer") },
    { ...oauth2, clientSecret: mark("endpoint-oauth") },
  ])
    await done(keyed("POST", "/v1/destinations", { url, signature, auth }));
}

beforeAll(async () => {
  vi.stubGlobal(
    "fetch",
    vi.fn(async (input: URL | string) =>
      String(input).endsWith("/refused")
        ? new Response("no", { status: 422 })
        : Response.json({ id: "1", data: [] }),
    ),
  );
  await createAccounts();
  user = await newUser();
  userId = (await ask("GET", "/user", { token: user.token })).body.id;
  things = new Things(user, WORLD);
  cookie = [...(await signIn(FIRST.email)).cookies].map(([k, v]) => `${k}=${v}`).join("; ");
  await giveSecrets();
});
afterAll(async () => {
  await keyed("PATCH", "/v1/organization", { operationsCallback: null });
  vi.unstubAllGlobals();
});

describe("credentials that were given", () => {
  it("stand in no row of the database", async () => {
    const { results } = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
    ).all<{ name: string }>();
    const found: string[] = [];
    for (const { name } of results) {
      const rows = await env.DB.prepare(`SELECT * FROM "${name}"`).all();
      for (const row of rows.results)
        found.push(...(JSON.stringify(row).match(MARKS) ?? []).map((one) => `${name}: ${one}`));
    }
    expect(found).toEqual([]);
  });

  it("stand in no row of the streams that their runs went through", async () => {
    const { id } = await things.instance();
    const kept: string[] = [];
    for (const source of [`user:${userId}`, `instance:${id}`]) {
      const stub = env.EVENT_STREAMS.getByName(`1/${source}`);
      const tables = await runInDurableObject(stub, (_, { storage }) =>
        [...storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'")]
          .flatMap(({ name }) => (typeof name === "string" && !name.startsWith("_cf") ? name : []))
          .map((name) => JSON.stringify([...storage.sql.exec(`SELECT * FROM "${name}"`)])),
      );
      kept.push(...tables);
    }
    expect(kept.join()).toContain("secrets-step");
    expect(kept.join().match(MARKS)).toBeNull();
  });

  const lines = Object.entries(TABLE)
    .flatMap(([line, audience]) => (typeof audience === "string" ? line : Object.keys(audience)))
    .filter((line) => line.startsWith("GET "));

  it.each(lines)("are shown by %s only where a contract has them", async (line) => {
    const route = line.slice(4);
    const path = await pathOf("GET", route, things);
    const text = await shown(path, route);
    expect(
      [...new Set(text.match(MARKS) ?? [])].filter((one) => !SHOWN[line]?.includes(one)),
    ).toEqual([]);
  });

  it("are shown masked, and kept when what was shown comes back", async () => {
    const key = await things.connector();
    const token = { key: "own.token", name: "Token", type: "PASSWORD", defaultValue: M };
    const own = {
      ...connector(),
      key,
      headers: { Authorization: M, "X-As": M, "X-New": "n" },
      configuration: [token],
    };
    expect((await done(call("PUT", `/elements/${key}`, own))).headers).toEqual(own.headers);
    expect(await done(call("PUT", `/elements/${key}`, own))).toMatchObject({
      headers: own.headers,
    });
    const path = `${V1}/environments/${await things.environment()}/webhooks/secrets-shown`;
    const hook = (await ask("GET", path, { token: FIRST.apiKey })).body;
    expect(hook.spec.url).toBe(`http://127.0.0.1:9/secrets-hook?token=${M}`);
    expect((await keyed("PUT", path, { ...hook, title: "Newer" })).status).toBe(200);
    const { operationsCallback } = await done(
      ask("GET", "/v1/organization", { token: FIRST.apiKey }),
    );
    expect(operationsCallback).toEqual({ url: `https://ops.example/x?token=${M}` });
    await done(keyed("PATCH", "/v1/organization", { operationsCallback }));
    const [{ id }] = [await things.instance()];
    const { headers } = await done(
      ask("GET", `/v1/destinations/instance-${id}`, { token: FIRST.apiKey }),
    );
    await done(keyed("PATCH", `/v1/destinations/instance-${id}`, { headers }));
    const ring = keyring(readConfig(env).masterKeys);
    const read = (destinationId: string) => readDestination(env.DB, ring, 1, destinationId);
    expect(await read(`instance-${id}`)).toMatchObject({
      url: callbackUrl,
      headers: { "X-Api-Key": mark("callback-header"), "X-Token": mark("operator-header") },
    });
    expect(await read(hook.metadata.destinationId)).toMatchObject({
      url: `http://127.0.0.1:9/secrets-hook?token=${mark("webhook-url")}`,
      headers: { "X-Token": mark("webhook-header"), "X-As": `Basic ${mark("webhook-used")}` },
    });
    expect((await read("operations-1"))?.url).toContain(mark("operations"));
  });

  it("go with the requests of a connector's instances", async () => {
    const key = await things.connector();
    const made = await done(call("POST", "/instances", { element: { key }, name: "Own" }));
    const authorization = `${MINE}, Element ${made.token}`;
    vi.mocked(fetch).mockClear();
    await call("GET", "/hubs/helpdesk/issues", undefined, authorization);
    const [[input, init] = []] = vi.mocked(fetch).mock.calls;
    const { headers } = new Request(input ?? "", init);
    expect([headers.get("x-as"), headers.get("authorization")]).toEqual([
      `Bearer ${mark("used")}`,
      mark("default"),
    ]);
  });

  it("are refused as masks where nothing is stored", async () => {
    const own = { ...connector(), headers: { Authorization: M } };
    expect(await call("POST", "/elements", own)).toMatchObject({ status: 400 });
    const spec = { url: `http://127.0.0.1:9/x?token=${M}` };
    const hook = await keyed("POST", `${V1}/webhooks`, { name: "secrets-masked", spec });
    expect(hook.status).toBe(400);
    expect(JSON.stringify(hook.body)).toContain("spec.url");
  });
});

async function shown(path: string, route: string): Promise<string> {
  const response = await exports.default.fetch(`https://tributary.example${path}`, {
    redirect: "manual",
    headers: await credentialsOf(route),
  });
  return response.text();
}

async function credentialsOf(route: string): Promise<Record<string, string>> {
  if (route.startsWith("/console")) return { cookie };
  if (route.startsWith("/elements"))
    return { authorization: `${MINE}, Element ${(await things.instance()).token}` };
  const isOurs = /^\/(v1|apis|events)\//.test(route);
  return { authorization: `Bearer ${isOurs ? FIRST.apiKey : user.token}` };
}
