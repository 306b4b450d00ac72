import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { sandbox } from "../../src/connectors/sandbox";
import { keyring } from "../../src/db/sealed";
import { destinationOf } from "../../src/instances/destination";
import { app } from "../../src/app";
import type { Instance } from "../../src/instances/instance";
import { insertInstance, nextInstanceId } from "../../src/instances/store";
import { firstOrganization, MINE } from "../organization";

const config = readConfig(env);
beforeAll(firstOrganization);
afterEach(() => vi.unstubAllGlobals());

async function instanceWith(changes: Partial<Instance> = {}): Promise<Instance> {
  const id = await nextInstanceId(env.DB);
  const instance: Instance = {
    id,
    organizationId: 1,
    userId: 1,
    connector: sandbox,
    name: "Sandbox",
    tenant: null,
    tags: [],
    token: `token-${id}`,
    configuration: { "sandbox.api.key": "k" },
    externalAuthentication: "none",
    valid: true,
    invalidReason: null,
    disabled: false,
    pollerDisabled: null,
    registrationFault: null,
    pollsUntil: null,
    baseline: 0,
    enabledAt: 0,
    createdAt: 1,
    updatedAt: 1,
    ...changes,
  };
  const destination = destinationOf(instance, config.egress);
  if (!destination.ok) throw new Error(destination.message);
  await insertInstance(env.DB, keyring(config.masterKeys), instance, destination.draft);
  return instance;
}

const ask = (path: string, init: RequestInit = {}) =>
  app.request(`/elements/api-v2${path}`, init, env, createExecutionContext());

const get = (path: string, instance?: Pick<Instance, "token">) => {
  const element = instance === undefined ? "" : `, Element ${instance.token}`;
  const Authorization = `${MINE}${element}`;
  return ask(path, { headers: { Authorization } });
};

function vendor(answer: (url: URL) => Response) {
  const urls: string[] = [];
  vi.stubGlobal("fetch", async (input: URL) => {
    urls.push(input.href.replace("http://127.0.0.1:9001", ""));
    return answer(input);
  });
  return urls;
}

describe("GET /hubs", () => {
  it("lists the hubs to anybody", async () => {
    const response = await ask("/hubs");
    expect(response.status).toBe(200);
    expect(await response.json()).toContainEqual({
      key: "crm",
      elements: ["hubspot", "hubspotcrm", "sandbox", "sfdc"],
    });
  });
});

describe("GET /hubs/{hub}/{resource}", () => {
  it("pages through a list with the token of the page before, whatever the hub is called", async () => {
    const instance = await instanceWith();
    const urls = vendor((url) =>
      Response.json({
        data: url.searchParams.get("page") === "1" ? [{ id: 1, x: null }, { id: 2 }] : [{ id: 3 }],
      }),
    );
    const first = await get("/hubs/any/accounts?pageSize=2", instance);
    expect(await first.json()).toEqual([{ id: 1 }, { id: 2 }]);
    const { headers } = first;
    expect(headers.get("Elements-Returned-Count")).toBe("2");
    expect(headers.get("Elements-Total-Count")).toBeNull();
    expect(headers.get("Elements-Element-Instance-Id")).toBe(String(instance.id));
    const token = headers.get("Elements-Next-Page-Token");
    const second = await get(`/hubs/crm/accounts?pageSize=2&nextPage=${token}`, instance);
    expect(await second.json()).toEqual([{ id: 3 }]);
    expect(second.headers.get("Elements-Next-Page-Token")).toBeNull();
    expect(urls).toEqual(["/v1/accounts?page=1&page_size=2", "/v1/accounts?page=2&page_size=2"]);
  });

  it("calls no address of a token that another list gave out, or nobody", async () => {
    const [instance, other] = [await instanceWith(), await instanceWith()];
    const urls = vendor(() => Response.json({ data: [{ id: 1 }] }));
    const first = await get("/accounts?pageSize=1", instance);
    const token = first.headers.get("Elements-Next-Page-Token");
    const forged = Buffer.from(JSON.stringify({ url: "/v1/secrets" })).toString("base64url");
    for (const [path, who] of [
      [`/accounts?nextPage=${token}`, other],
      [`/contacts?nextPage=${token}`, instance],
      [`/accounts?nextPage=${forged}`, instance],
    ] as const) {
      const response = await get(path, who);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        message: expect.stringContaining("nextPage: "),
      });
    }
    expect(urls).toEqual(["/v1/accounts?page=1&page_size=1"]);
  });

  it("keeps nulls when filter.response.nulls is false, and gives the fields asked for", async () => {
    const configuration = { "sandbox.api.key": "k", "filter.response.nulls": "false" };
    const instance = await instanceWith({ configuration });
    vendor(() => Response.json({ data: [{ id: 1, x: null, y: 2 }] }));
    const response = await get("/accounts?fields=id,x", instance);
    expect(await response.json()).toEqual([{ id: 1, x: null }]);
    expect(response.headers.get("Elements-Total-Count")).toBe("1");
  });

  it("passes where on, decoded once", async () => {
    const instance = await instanceWith();
    const urls = vendor(() => Response.json({ data: [] }));
    const where = encodeURIComponent("updatedDate>'2026-01-01T00:00:00.000Z'");
    expect((await get(`/hubs/crm/accounts?where=${where}&pageSize=5`, instance)).status).toBe(200);
    expect(urls).toEqual([
      "/v1/accounts?updated_since=2026-01-01T00%3A00%3A00.000Z&page=1&page_size=5",
    ]);
  });

  it.each<[string, number, string]>([
    ["pageSize=201", 400, "pageSize: Expected a whole number from 1 to 200, got '201'"],
    ["page=0", 400, "page: Expected a whole number"],
    ["nextPage=abc", 400, "nextPage: The token is not one that this list gave out"],
    ["where=a%3D", 400, "Invalid where: expected a value at position 3, found the end"],
    ["orderBy=name", 400, "Unsupported orderBy"],
  ])("refuses ?%s", async (query, status, message) => {
    const response = await get(`/hubs/crm/accounts?${query}`, await instanceWith());
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining(message) });
  });

  it.each<[string, () => Response, number, string]>([
    [
      "400",
      () => Response.json({ error: { message: "Bad date" } }, { status: 400 }),
      400,
      "Bad date",
    ],
    [
      "429",
      () => Response.json({ error: { message: "Slow down" } }, { status: 429 }),
      429,
      "Slow down",
    ],
    [
      "401",
      () => Response.json({ error: { message: "Wrong key" } }, { status: 401 }),
      502,
      "Wrong key",
    ],
    ["503", () => new Response("Down", { status: 503 }), 502, "Down"],
    ["HTML", () => new Response("<html>"), 502, "The answer of Sandbox CRM is not JSON"],
  ])("tells the vendor's %s", async (_, answer, status, providerMessage) => {
    vendor(answer);
    const instance = await instanceWith();
    const response = await get("/hubs/crm/accounts", instance);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      requestId: expect.any(String),
      message: expect.any(String),
      providerMessage,
    });
    expect(response.headers.get("Elements-Element-Instance-Id")).toBe(String(instance.id));
  });
});

describe("GET /hubs/{hub}/{resource}/{id}", () => {
  it("gives one object, or 404", async () => {
    const instance = await instanceWith();
    const urls = vendor((url) =>
      url.pathname.endsWith("b")
        ? Response.json({ id: "a/b", x: null })
        : Response.json({}, { status: 404 }),
    );
    const found = await get("/hubs/crm/accounts/a%2Fb", instance);
    expect(await found.json()).toEqual({ id: "a/b" });
    expect((await get("/accounts/none", instance)).status).toBe(404);
    expect(urls).toEqual(["/v1/accounts/a%2Fb", "/v1/accounts/none"]);
  });
});

describe("the connector's own", () => {
  it("ping, objects and metadata answer in both forms", async () => {
    const instance = await instanceWith();
    vendor(() => Response.json({}));
    expect(await (await get("/hubs/crm/ping", instance)).json()).toMatchObject({
      endpoint: "sandbox",
    });
    expect(await (await get("/ping", instance)).json()).toMatchObject({ endpoint: "sandbox" });
    expect(await (await get("/objects", instance)).json()).toEqual([
      "accounts",
      "contacts",
      "deals",
    ]);
    expect(await (await get("/hubs/crm/objects/deals/metadata", instance)).json()).toMatchObject({
      name: "deals",
      fields: [
        { vendorPath: "id", type: "string", primaryKey: true },
        { vendorPath: "updatedDate" },
        { vendorPath: "createdDate" },
      ],
      operations: ["list", "get", "create", "update", "delete"],
      where: { updatedDate: [">", ">="] },
    });
    expect((await get("/objects/nothing/metadata", instance)).status).toBe(404);
  });
});

describe("who may", () => {
  it("answers 401 to a missing or unknown Element token", async () => {
    expect((await get("/hubs/crm/accounts")).status).toBe(401);
    expect((await get("/hubs/crm/accounts", { token: "nobody" })).status).toBe(401);
    expect((await ask("/hubs/crm/accounts")).status).toBe(401);
  });

  it("answers 403 for a disabled instance, GET /objects apart", async () => {
    const instance = await instanceWith({ disabled: true });
    expect((await get("/hubs/crm/accounts", instance)).status).toBe(403);
    expect((await get("/accounts/1", instance)).status).toBe(403);
    expect((await get("/ping", instance)).status).toBe(403);
    expect((await get("/objects", instance)).status).toBe(200);
    expect((await get("/hubs/crm/objects", instance)).status).toBe(200);
  });
});

describe("the short forms", () => {
  it("shadow nobody and leave unknown paths unknown", async () => {
    const instance = await instanceWith();
    expect(await (await get("/instances", instance)).json()).toContainEqual(
      expect.objectContaining({ configuration: expect.anything() }),
    );
    expect((await get("/nothing", instance)).status).toBe(404);
    expect((await get("/nothing/at/all", instance)).status).toBe(404);
    expect((await get("/accounts")).status).toBe(404);
    const posted = await ask("/accounts", { method: "POST" });
    expect(posted.status).toBe(404);
  });
});
