import { describe, expect, it } from "vitest";
import { concur } from "../../src/connectors/concur";
import { type ConnectorInput, defineConnector } from "../../src/connectors/definition";
import { sandbox } from "../../src/connectors/sandbox";
import { buildRequest, findResource, type Given } from "../../src/hub/request";

const example = (changes: Partial<ConnectorInput>) =>
  defineConnector({
    key: "example",
    id: 9,
    name: "Example",
    hub: "crm",
    authentication: { type: "apiKey", name: "X-Key", configurationKey: "example.key" },
    baseUrl: "https://api.example.com/v3/company/${realm}",
    resources: {},
    events: { methods: ["polling"], defaultMode: "polling" },
    ...changes,
  });
const configuration = { realm: "310687", "example.key": "k" };
const operation = { method: "GET" as const, path: "/invoices", query: {} };

const built = (
  connector = example({}),
  changes: Record<string, string | null> = {},
  given: Given = {},
  op: Parameters<typeof buildRequest>[1] = operation,
) => {
  const result = buildRequest(
    { connector, configuration: { ...configuration, ...changes } },
    op,
    given,
  );
  return result.ok ? result.request : result.message;
};
const urlOf = (...args: Parameters<typeof built>) => {
  const request = built(...args);
  return typeof request === "string" ? request : request.url;
};

describe("buildRequest", () => {
  it("fills the base URL and proves who is asking", () => {
    expect(built()).toEqual({
      method: "GET",
      url: "https://api.example.com/v3/company/310687/invoices",
      headers: { "X-Key": "k" },
    });
  });

  it("lays parameters over those the resource always has, spaces as %20", () => {
    expect(
      urlOf(
        undefined,
        {},
        { parameters: { user: "a b+c", limit: 5 } },
        { ...operation, query: { user: "ALL", x: "1" } },
      ),
    ).toBe("https://api.example.com/v3/company/310687/invoices?user=a%20b%2Bc&x=1&limit=5");
  });

  it("puts parameters into the body where the resource has one", () => {
    const body = { recursive: true, limit: 1 };
    expect(
      built(
        undefined,
        {},
        { parameters: { limit: 5, after: "0" } },
        { ...operation, method: "POST", body },
      ),
    ).toEqual({
      method: "POST",
      url: "https://api.example.com/v3/company/310687/invoices",
      headers: { "X-Key": "k", "Content-Type": "application/json" },
      body: '{"recursive":true,"limit":5,"after":"0"}',
    });
  });

  it.each<[string, Record<string, string | null>, string]>([
    [
      "base.url replaces scheme, host and port",
      { "base.url": "http://127.0.0.1:9001" },
      "http://127.0.0.1:9001/v3/company/310687/invoices",
    ],
    [
      "a path of base.url goes in front",
      { "base.url": "http://127.0.0.1:9001/qb/" },
      "http://127.0.0.1:9001/qb/v3/company/310687/invoices",
    ],
    [
      "a base.url of null is none",
      { "base.url": null },
      "https://api.example.com/v3/company/310687/invoices",
    ],
    [
      "a base.url that is no URL is told",
      { "base.url": "nowhere" },
      "base.url: 'nowhere' is not a URL",
    ],
    ["a missing template value is told", { realm: null }, "Missing configuration 'realm'"],
    [
      "a missing credential is told",
      { "example.key": null },
      "Missing configuration 'example.key'",
    ],
  ])("%s", (_, changes, url) => {
    expect(urlOf(undefined, changes)).toBe(url);
  });

  it.each<[string, string]>([
    ["7", "/v1/accounts/7"],
    ["a/b?c#d e", "/v1/accounts/a%2Fb%3Fc%23d%20e"],
    ["..", "Invalid id '..'"],
    [".", "Invalid id '.'"],
    ["", "Invalid id ''"],
  ])("puts id %j into the path and nowhere else", (id, expected) => {
    const caller = { connector: sandbox, configuration: { "sandbox.api.key": "k" } };
    const result = buildRequest(caller, sandbox.resources["accounts"]!.get!, {
      pathValues: { id },
    });
    expect(
      result.ok ? result.request.url.replace("http://127.0.0.1:9001", "") : result.message,
    ).toBe(expected);
  });

  it.each<[string, string, string]>([
    [
      "stays on the vendor's host",
      "https://api.example.com/v3/x?o=2",
      "https://api.example.com/v3/x?o=2",
    ],
    [
      "is brought home from another host",
      "https://evil.example/v3/x?o=2",
      "https://api.example.com/v3/x?o=2",
    ],
    [
      "may be a path",
      "/services/data/query/01g-2000",
      "https://api.example.com/services/data/query/01g-2000",
    ],
    ["has no credentials of its own", "https://a:b@evil.example/x", "https://api.example.com/x"],
    [
      "cannot reach a host by its path",
      "https://evil.example//evil.example/x",
      "https://api.example.com//evil.example/x",
    ],
    [
      "cannot lengthen the host",
      "x:.evil.example/y",
      "The next page 'x:.evil.example/y' is not on the vendor's host",
    ],
    [
      "must be one of the web",
      "data:text/plain,x",
      "The next page 'data:text/plain,x' is not on the vendor's host",
    ],
    ["must be one", "http://[", "The next page 'http://[' is not on the vendor's host"],
  ])("a next URL %s", (_, url, expected) => {
    expect(urlOf(undefined, {}, { url, parameters: { ignored: "1" } })).toBe(expected);
  });

  it("brings a next URL to base.url, its path put in front once", () => {
    const changes = { "base.url": "http://127.0.0.1:9001/qb" };
    expect(urlOf(undefined, changes, { url: "https://api.example.com/v3/x" })).toBe(
      "http://127.0.0.1:9001/qb/v3/x",
    );
    expect(urlOf(undefined, changes, { url: "http://127.0.0.1:9001/qb/v3/x" })).toBe(
      "http://127.0.0.1:9001/qb/v3/x",
    );
  });

  it("proves who is asking by query, basic or bearer token", () => {
    const inQuery = example({
      authentication: {
        type: "apiKey",
        in: "query",
        name: "hapikey",
        configurationKey: "example.key",
      },
    });
    expect(urlOf(inQuery)).toBe("https://api.example.com/v3/company/310687/invoices?hapikey=k");
    expect(urlOf(inQuery, {}, { url: "/x?o=2" })).toBe("https://api.example.com/x?o=2&hapikey=k");
    expect(
      built(example({ authentication: { type: "basic" } }), { username: "ä", password: "p:q" }),
    ).toMatchObject({
      headers: { Authorization: `Basic ${Buffer.from("ä:p:q").toString("base64")}` },
    });
    expect(built(example({ authentication: { type: "basic" } }))).toBe(
      "Missing configuration 'username'",
    );
    expect(built(concur, { "oauth.user.token": "t" })).toMatchObject({
      url: "https://us.api.concursolutions.com/invoices",
      headers: { Authorization: "Bearer t", Accept: "application/json" },
    });
    expect(built(concur)).toBe("Missing configuration 'oauth.user.token'");
  });
});

describe("findResource", () => {
  const resource = { list: { path: "/x" }, idField: "id" };
  const connector = example({
    resources: {
      calendars: resource,
      "calendars/{calendarId}/changed-events": resource,
      "calendars/primary/changed-events": resource,
    },
  });

  it.each<[string, string | undefined, object]>([
    ["calendars", "calendars", {}],
    ["calendars/7/changed-events", "calendars/{calendarId}/changed-events", { calendarId: "7" }],
    ["calendars/primary/changed-events", "calendars/primary/changed-events", {}],
    ["calendars//changed-events", undefined, {}],
    ["calendars/7", undefined, {}],
    ["constructor", undefined, {}],
    ["", undefined, {}],
  ])("finds %s", (path, name, pathValues) => {
    const found = findResource(connector, path);
    expect(found?.name).toBe(name);
    expect(found?.pathValues ?? {}).toEqual(pathValues);
  });
});
