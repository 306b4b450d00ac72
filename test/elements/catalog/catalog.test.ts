import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../../src/app";
import { findConnector } from "../../../src/connectors/catalog";
import { call, create, createOrganizations, MINE, stubOutside, THEIRS } from "../build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

const get = async (path: string) => {
  const { status, body } = await call("GET", `/elements${path}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};

describe("GET /elements", () => {
  it("lists connectors with their configuration, and their keys; one by key or id", async () => {
    const all: { key: string; id: number; configuration: object[] }[] = await get("");
    expect(all.every(({ configuration }) => configuration.length > 0)).toBe(true);
    expect(await get("/keys")).toEqual(all.map(({ key }) => key));
    const box = await get("/box");
    expect(box).toMatchObject({ id: 22, key: "box", hub: "documents", active: true });
    expect(await get("/22")).toEqual(box);
    for (const path of ["/nothing", "/nothing/metadata", "/nothing/configuration"])
      expect((await call("GET", `/elements${path}`)).status).toBe(404);
  });

  it("describes every configuration key by the fields of the contract", async () => {
    const entries: { [field: string]: unknown }[] = await get("/sfdc/configuration");
    for (const entry of entries) {
      expect(Object.keys(entry).toSorted()).toEqual(
        [
          "id",
          "name",
          "key",
          "description",
          "defaultValue",
          "resellerConfig",
          "companyConfig",
          "active",
          "internal",
          "groupControl",
          "displayOrder",
          "type",
          "hideFromConsole",
          "required",
        ].toSorted(),
      );
      expect(String(entry["type"])).toMatch(
        /^(TEXTFIELD_\d+|TEXTAREA|BOOLEAN|PASSWORD|MULTISELECT)$/,
      );
      expect(["string", "object"]).toContain(typeof entry["defaultValue"]);
    }
    const metadata = entries.find(({ key }) => key === "event.metadata");
    expect(JSON.parse(String(metadata?.["defaultValue"]))).toEqual({
      polling: { Account: {}, Contact: {}, Lead: {}, Opportunity: {} },
    });
  });
});

describe("GET /elements/{keyOrId}/metadata", () => {
  it("says how events come, and what can be polled wherever something can", async () => {
    const all: any[] = await get("/metadata");
    expect(all.map(({ key }) => key)).toEqual(await get("/keys"));
    for (const { key, events } of all.filter((one) => findConnector(one.key) !== undefined)) {
      expect(events).toMatchObject({ supported: true, methods: expect.any(Array) });
      const polled = Object.keys(events.polling ?? {});
      expect(polled.length > 0, key).toBe(events.methods.includes("polling"));
    }
    expect(await get("/box/metadata")).toMatchObject({
      id: 22,
      name: "Box",
      key: "box",
      events: { supported: true, polling: { files: {}, folders: {} } },
    });
  });

  it("tells more when it is expanded", async () => {
    const concur = await get("/concur/metadata?expand=true");
    expect(concur).toMatchObject({
      authenticationType: "oauth2",
      active: true,
      discovery: {},
      bulk: { upload: false, download: false },
      usage: {},
    });
    expect(concur.resources[0]).toEqual({
      canonicalName: "reports",
      operations: ["list", "get"],
      events: {
        supported: true,
        methods: ["polling", "webhook"],
        eventTypes: ["CREATED", "UPDATED"],
      },
    });
    const pollable = Object.keys(concur.events.polling);
    expect(pollable).toEqual(concur.resources.map((one: any) => one.canonicalName));
    expect(pollable).toEqual(expect.arrayContaining(["entries", "users", "vendors", "invoices"]));
    expect(await get("/concur/metadata")).not.toHaveProperty("resources");
  });

  it("CO-7 given a report deleted while only polling, then no event; connector metadata states this limit", async () => {
    const typesOf = async (key: string) => {
      const { resources } = await get(`/${key}/metadata?expand=true`);
      return resources.find(({ events }: any) => events.supported)?.events.eventTypes;
    };
    for (const key of ["concur", "hubspot"])
      expect(await typesOf(key)).toEqual(["CREATED", "UPDATED"]);
    for (const key of ["box", "dropbox", "sfdc", "quickbooks"])
      expect(await typesOf(key)).toEqual(["CREATED", "UPDATED", "DELETED"]);
  });
});

describe("/elements/{keyOrId}/oauth/url", () => {
  const asked = { apiKey: "client", apiSecret: "s", callbackUrl: "https://app.example/cb" };

  it("is the same by query and by body, its state the connector's key", async () => {
    const byQuery = await get(`/box/oauth/url?${new URLSearchParams(asked).toString()}`);
    const { body } = await call("POST", "/elements/22/oauth/url", asked);
    expect(body).toEqual(byQuery);
    expect(byQuery.element).toBe("box");
    const url = new URL(byQuery.oauthUrl);
    expect(url.origin + url.pathname).toBe("https://account.box.com/api/oauth2/authorize");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: "client",
      redirect_uri: "https://app.example/cb",
      response_type: "code",
      state: "box",
    });
    expect(byQuery.oauthUrl).not.toContain("apiSecret");
  });

  it.each([
    ["box", { callbackUrl: "https://app.example/cb" }, "apiKey"],
    ["box", { apiKey: "k" }, "callbackUrl"],
    ["sandbox", asked, "OAuth"],
  ])("of %s says what is missing in %j", async (key, given, word) => {
    const { status, body } = await call("POST", `/elements/${key}/oauth/url`, given);
    expect([status, body.message]).toEqual([400, expect.stringContaining(word)]);
  });

  it("has no request token, as none of the connectors speaks OAuth 1", async () => {
    for (const key of ["box", "sandbox"])
      expect((await call("GET", `/elements/${key}/oauth/token`)).status).toBe(400);
  });
});

describe("the platform's own application", () => {
  const oauthApps = {
    box: { key: "platform-id", secret: "platform-secret", callbackUrl: "https://p.example/cb" },
  };
  const deployment = { ...env, OAUTH_APPS: JSON.stringify(oauthApps) };
  const ask = async (method: string, path: string, body?: object, authorization = MINE) => {
    const response = await app.request(
      `/elements/api-v2${path}`,
      {
        method,
        headers: { authorization },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      deployment,
    );
    return { status: response.status, body: (await response.json()) as any };
  };

  it("sends a user to consent, and is used by the instance that the consent makes", async () => {
    const { status, body } = await ask("GET", "/elements/box/oauth/url/default?state=s1");
    expect(status).toBe(200);
    const parameters = new URL(body.oauthUrl).searchParams;
    expect(parameters.get("client_id")).toBe("platform-id");
    expect(parameters.get("redirect_uri")).toBe("https://p.example/cb");
    expect(parameters.get("state")).toBe("s1");
    expect(JSON.stringify(body)).not.toContain("platform-secret");
    const sent = stubOutside(() =>
      Response.json({ access_token: "a", refresh_token: "r", expires_in: 3600 }),
    );
    const providerData = { code: "c", secret: body.configuration.secret };
    const made = await ask("POST", "/instances", { element: { key: "box" }, providerData });
    expect(made.body).toMatchObject({
      valid: true,
      configuration: { "oauth.api.secret": "********" },
    });
    const form = new URLSearchParams(sent[0]?.text);
    expect(Object.fromEntries(form)).toMatchObject({
      client_id: "platform-id",
      client_secret: "platform-secret",
      redirect_uri: "https://p.example/cb",
    });
    const stolen = await ask(
      "POST",
      "/instances",
      { element: { key: "box" }, providerData },
      THEIRS,
    );
    expect(stolen).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("oauth.api.key") },
    });
  });

  it("is there for the connectors it is registered with, and its own callback only", async () => {
    expect((await ask("GET", "/elements/dropbox/oauth/url/default")).status).toBe(404);
    const other = encodeURIComponent("https://other.example/cb");
    const path = `/elements/box/oauth/url/default?callbackUrl=${other}`;
    expect((await ask("GET", path)).status).toBe(400);
    expect((await call("GET", "/elements/box/oauth/url/default")).status).toBe(404);
  });
});

describe("/elements/{keyOrId}/instances", () => {
  it("makes, shows, changes and ends instances of its connector", async () => {
    const body = { configuration: { "sandbox.api.key": "k" }, name: "One", tags: ["t"] };
    const made = await call("POST", "/elements/sandbox/instances", body);
    expect(made).toMatchObject({
      status: 200,
      body: { name: "One", createdDate: expect.any(String), element: { key: "sandbox" } },
    });
    const path = `/elements/sandbox/instances/${made.body.id}`;
    expect((await call("GET", path)).body).toEqual(made.body);
    const listed = await call("GET", "/elements/sandbox/instances?tags[]=t");
    expect(listed.body).toEqual([made.body]);
    expect(listed.headers.get("elements-total-count")).toBe("1");
    expect((await call("PATCH", path, { name: "Two" })).body.name).toBe("Two");
    expect((await call("PUT", path, { tags: [] })).body).toMatchObject({ name: "Two", tags: [] });
    expect((await call("DELETE", path)).status).toBe(200);
    expect((await call("GET", path)).status).toBe(404);
  });

  it("knows no other connector's, and is as precise about what is wrong", async () => {
    const { id } = await create();
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      const given = method === "GET" || method === "DELETE" ? undefined : { name: "x" };
      expect((await call(method, `/elements/box/instances/${id}`, given)).status).toBe(404);
      const theirs = await call(method, `/elements/sandbox/instances/${id}`, given, THEIRS);
      expect(theirs.status).toBe(403);
    }
    const other = await call("POST", "/elements/sandbox/instances", { element: { key: "box" } });
    expect([other.status, other.body.message]).toEqual([400, expect.stringContaining("element")]);
    const wrong = { configuration: { "event.vendor.type": "magic" } };
    const refused = await call("POST", "/elements/sandbox/instances", wrong);
    expect([refused.status, refused.body.message]).toEqual([
      400,
      expect.stringContaining("event.vendor.type"),
    ]);
    expect((await call("POST", "/elements/nothing/instances", {})).status).toBe(404);
  });
});
