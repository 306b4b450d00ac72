import { describe, expect, it } from "vitest";
import { box } from "../../src/connectors/box";
import { builtIn } from "../../src/connectors/catalog";
import { concur } from "../../src/connectors/concur";
import { type Connector, connectorSchema } from "../../src/connectors/definition";
import { sfdc } from "../../src/connectors/sfdc";
import { parseAllowList } from "../../src/http/egress";
import { readGrant, tokenRequest } from "../../src/hub/oauth";
import { buildRequest } from "../../src/hub/request";
import { foreignApplication } from "../../src/hub/vendor-host";

const described = (changes: object): Connector =>
  connectorSchema.parse({ ...concur, key: "mine", hosts: [], ...changes });

/** The address that a list is read from with these values, or why there is none. */
const called = (connector: Connector, configuration: Record<string, string | null>): string => {
  const all = { "oauth.user.token": "t", ...configuration };
  const built = buildRequest(
    { connector, configuration: all },
    { method: "GET", path: "/x", query: {} },
  );
  return built.ok ? built.request.url : built.message;
};

describe("buildRequest", () => {
  it.each<[Connector, string, string]>([
    [sfdc, "sfdc.instance.url", "https://acme.my.salesforce.com"],
    [sfdc, "sfdc.instance.url", "https://acme--dev.sandbox.my.salesforce.com"],
    [sfdc, "sfdc.instance.url", "https://acme.force.com"],
    [concur, "oauth.geolocation", "https://eu2.api.concursolutions.com"],
  ])("calls %o at a host of its vendor", (connector, key, value) => {
    expect(called(connector, { [key]: value })).toBe(`${value}/x`);
  });

  it.each([
    "https://evil.example",
    "https://evilsalesforce.com",
    "https://salesforce.com.evil.example",
    "https://acme.my.salesforce.com@evil.example",
    "https://evil.example/.salesforce.com",
    "https://evil.example?.salesforce.com",
    "https://evil.example#.salesforce.com",
    "https://evil.example\\.salesforce.com",
    "https://acme.my.salesforce.com.",
  ])("has no request for the instance_url %s", (value) => {
    expect(called(sfdc, { "sfdc.instance.url": value })).toMatch(
      /^sfdc\.instance\.url: '[^']*' is not a host of Salesforce/,
    );
  });

  it("lets base.url stand for every host", () => {
    const configuration = {
      "sfdc.instance.url": "https://evil.example",
      "base.url": "http://127.0.0.1:9",
    };
    expect(called(sfdc, configuration)).toBe("http://127.0.0.1:9/x");
  });

  it.each<[string, Connector, Record<string, string>, string]>([
    [
      "what stands behind a placeholder is the vendor's domain",
      described({ baseUrl: "https://${site}.desk.example" }),
      { site: "acme" },
      "https://acme.desk.example/x",
    ],
    [
      "a value cannot leave it",
      described({ baseUrl: "https://${site}.desk.example" }),
      { site: "evil.example/" },
      "site: 'evil.example' is not a host of Concur; expected .desk.example",
    ],
    [
      "a top-level domain is nobody's",
      described({ baseUrl: "https://${oauth.geolocation}.example" }),
      { "oauth.geolocation": "evil" },
      "oauth.geolocation: 'evil.example' is not a host of Concur; expected one of the connector's 'hosts', which are none",
    ],
    [
      "a customer's own host is the customer's word",
      described({ baseUrl: "https://${site}" }),
      { site: "tracker.acme.example" },
      "https://tracker.acme.example/x",
    ],
    [
      "a vendor's word is none without hosts",
      described({}),
      { "oauth.geolocation": "https://eu.api.concursolutions.com" },
      "oauth.geolocation: 'eu.api.concursolutions.com' is not a host of Concur; expected one of the connector's 'hosts', which are none",
    ],
    [
      "a host by name is that one only",
      described({ hosts: ["eu.example.com"] }),
      { "oauth.geolocation": "https://us.eu.example.com" },
      "oauth.geolocation: 'us.eu.example.com' is not a host of Concur; expected eu.example.com",
    ],
  ])("%s", (_, connector, configuration, expected) => {
    expect(called(connector, configuration)).toBe(expected);
  });

  it("has declared hosts in each built-in connector whose address a value names", () => {
    for (const { baseUrl, hosts } of builtIn)
      if (baseUrl.startsWith("${")) expect(hosts).not.toEqual([]);
  });
});

describe("tokenRequest", () => {
  const app = { "oauth.api.key": "k", "oauth.api.secret": "s" };

  it.each([
    [sfdc, { "sfdc.login.host": "evil.example" }, "sfdc.login.host"],
    [sfdc, { "sfdc.login.host": "evil.example/login.salesforce.com" }, "sfdc.login.host"],
    [concur, { "oauth.geolocation": "https://evil.example" }, "oauth.geolocation"],
  ])("sends no client secret to another's host", (connector, configuration, key) => {
    const caller = { connector, configuration: { ...app, ...configuration } };
    expect(tokenRequest(caller, { type: "refresh_token", refreshToken: "r" })).toEqual({
      ok: false,
      message: expect.stringContaining(`${key}: 'evil.example' is not a host of`),
    });
  });

  it("takes a My Domain as the login host", () => {
    const caller = {
      connector: sfdc,
      configuration: { ...app, "sfdc.login.host": "acme.my.salesforce.com" },
    };
    expect(tokenRequest(caller, { type: "refresh_token", refreshToken: "r" })).toMatchObject({
      ok: true,
    });
  });
});

describe("readGrant", () => {
  const answer = { access_token: "a", instance_url: "https://evil.example" };

  it("takes no token whose answer points elsewhere", () => {
    expect(readGrant({ connector: sfdc, configuration: {} }, answer, 0)).toEqual({
      ok: false,
      message: expect.stringMatching(/^The token answer of Salesforce.*'evil\.example'/),
    });
  });

  it("does not mind what base.url replaces", () => {
    const configuration = { "base.url": "http://127.0.0.1:9" };
    expect(readGrant({ connector: sfdc, configuration }, answer, 0)).toMatchObject({ ok: true });
  });
});

describe("foreignApplication", () => {
  const egress = {
    allow: parseAllowList(["127.0.0.1"]),
    allowHttp: true,
    ownHost: undefined,
    resolver: undefined,
  };

  it.each<[string, Connector, Record<string, string>, string | undefined]>([
    ["the vendor", box, {}, undefined],
    ["a host that the operator allows", box, { "oauth.base.url": "http://127.0.0.1:9" }, undefined],
    [
      "a host that a customer names",
      box,
      { "oauth.base.url": "https://evil.example" },
      "oauth.base.url: The application is not shown to 'evil.example'",
    ],
    [
      "a connector that a customer made",
      described({}),
      {},
      "The application is for built-in connectors, not for 'mine'",
    ],
  ])(
    "says whether a secret that is not the account's may go to %s",
    (_, connector, changes, fault) => {
      const configuration = { "oauth.api.secret": "platform-secret", ...changes };
      expect(foreignApplication({ connector, configuration }, egress)).toBe(fault);
    },
  );
});
