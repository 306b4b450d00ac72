import { describe, expect, it } from "vitest";
import { concur } from "../../src/connectors/concur";
import { type Connector, connectorSchema } from "../../src/connectors/definition";
import { sandbox } from "../../src/connectors/sandbox";
import { authorizeUrl } from "../../src/hub/authorize";
import {
  grantIn,
  isRefusedForGood,
  readGrant,
  tokenRequest,
  tokenState,
} from "../../src/hub/oauth";

const withAuthentication = (changes: object): Connector =>
  connectorSchema.parse({ ...concur, authentication: { ...concur.authentication, ...changes } });
const app = {
  "oauth.api.key": "client id",
  "oauth.api.secret": "s/ecret",
  "oauth.callback.url": "https://app.example/cb",
};

describe("authorizeUrl", () => {
  const asked = { apiKey: "k", apiSecret: "s", callbackUrl: "https://app.example/cb" };
  const parts = (connector: Connector, changes: object = {}, configuration = {}) => {
    const result = authorizeUrl(connector, { ...asked, ...changes }, configuration);
    if (!result.ok) return result.message;
    const { origin, pathname, searchParams } = new URL(result.url);
    return { at: origin + pathname, ...Object.fromEntries(searchParams) };
  };

  it("asks for the connector's scope, its key as the state", () => {
    expect(parts(concur)).toEqual({
      at: "https://www-us.api.concursolutions.com/oauth2/v0/authorize",
      response_type: "code",
      client_id: "k",
      redirect_uri: "https://app.example/cb",
      scope: "EXPRPT",
      state: "concur",
    });
  });

  it("takes scope and state of the caller, spaces as %20", () => {
    const result = authorizeUrl(concur, { ...asked, scope: "a b", state: "x y" });
    expect(result).toMatchObject({
      ok: true,
      url: expect.stringContaining("scope=a%20b&state=x%20y"),
    });
  });

  it("goes to the account's own site, and to oauth.base.url before all", () => {
    const site = {
      ...withAuthentication({
        authorizeUrl: "https://${site.address}/authorize",
        authorizeParameters: { access_type: "offline" },
      }),
      hosts: ["acme.example"],
    };
    expect(parts(site)).toBe("Missing configuration 'site.address'");
    expect(parts(site, { siteAddress: "acme.example" })).toMatchObject({
      at: "https://acme.example/authorize",
      access_type: "offline",
    });
    expect(parts(concur, {}, { "oauth.base.url": "http://127.0.0.1:9" })).toMatchObject({
      at: "http://127.0.0.1:9/oauth2/v0/authorize",
    });
  });

  it("refuses a connector without OAuth", () => {
    expect(parts(sandbox)).toBe("Connector 'sandbox' has no OAuth");
  });
});

describe("tokenRequest", () => {
  const request = (
    connector: Connector,
    changes: Record<string, string | null> = {},
    grant: Parameters<typeof tokenRequest>[1] = { type: "refresh_token", refreshToken: "r" },
  ) => {
    const result = tokenRequest({ connector, configuration: { ...app, ...changes } }, grant);
    if (!result.ok) return result.message;
    const { body, ...rest } = result.request;
    return { ...rest, form: Object.fromEntries(new URLSearchParams(body)) };
  };

  it("exchanges a code with the redirect it was given to", () => {
    expect(request(concur, {}, { type: "authorization_code", code: "c" })).toEqual({
      method: "POST",
      url: "https://glz.api.concursolutions.com/oauth2/v0/token",
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
      form: {
        grant_type: "authorization_code",
        code: "c",
        redirect_uri: "https://app.example/cb",
        client_id: "client id",
        client_secret: "s/ecret",
      },
    });
  });

  it("refreshes at the data centre of the grant", () => {
    expect(
      request(concur, { "oauth.geolocation": "https://eu.api.concursolutions.com" }),
    ).toMatchObject({
      url: "https://eu.api.concursolutions.com/oauth2/v0/token",
      form: { grant_type: "refresh_token", refresh_token: "r" },
    });
    expect(request(concur)).toMatchObject({
      url: "https://us.api.concursolutions.com/oauth2/v0/token",
    });
  });

  it("goes to oauth.base.url whatever the grant says", () => {
    const changes = {
      "oauth.base.url": "http://127.0.0.1:9",
      "oauth.geolocation": "https://eu.example",
      "base.url": "http://127.0.0.1:8",
    };
    expect(request(concur, changes)).toMatchObject({ url: "http://127.0.0.1:9/oauth2/v0/token" });
  });

  it("proves the client in the header where the vendor wants that", () => {
    expect(request(withAuthentication({ clientAuthentication: "basic" }))).toMatchObject({
      headers: { Authorization: `Basic ${btoa("client%20id:s%2Fecret")}` },
      form: { grant_type: "refresh_token", refresh_token: "r" },
    });
  });

  it.each(["oauth.api.key", "oauth.api.secret"])("names a missing %s", (key) => {
    expect(request(concur, { [key]: null })).toBe(`Missing configuration '${key}'`);
  });
});

describe("readGrant", () => {
  const answer = {
    access_token: "a",
    refresh_token: "r",
    expires_in: "1800",
    token_type: "Bearer",
    geolocation: "https://eu.api.concursolutions.com",
  };
  const grant = (changes: object, connector = concur) => {
    const result = readGrant({ connector, configuration: {} }, { ...answer, ...changes }, 1_000);
    return result.ok ? result.configuration : result.message;
  };

  it("keeps token, refresh token, end and what the connector names", () => {
    expect(grant({})).toEqual({
      "oauth.user.token": "a",
      "oauth.user.refresh_token": "r",
      "oauth.user.expires_at": "1801000",
      "oauth.geolocation": "https://eu.api.concursolutions.com",
    });
  });

  it("leaves alone what the answer does not have", () => {
    expect(grant({ refresh_token: undefined, geolocation: undefined })).toEqual({
      "oauth.user.token": "a",
      "oauth.user.expires_at": "1801000",
    });
  });

  it.each<[unknown, string]>([
    [3600, "3601000"],
    ["3600", "3601000"],
    [undefined, "3601000"],
    ["soon", "3601000"],
    [-5, "3601000"],
    [1.5, "2500"],
  ])("reads expires_in %o", (expires_in, expiresAt) => {
    expect(grant({ expires_in })).toMatchObject({ "oauth.user.expires_at": expiresAt });
  });

  it.each([undefined, null, "", {}])("refuses an access token %o", (access_token) => {
    expect(grant({ access_token })).toBe("The token answer of Concur has no access_token");
  });

  it.each([null, undefined, "text", []])("refuses the answer %o", (value) => {
    expect(readGrant({ connector: concur, configuration: {} }, value, 0)).toMatchObject({
      ok: false,
    });
  });
});

describe("tokenState", () => {
  const now = 1_000_000;
  const at = (ms: number) => String(now + ms);
  it.each<[string, Record<string, string | null>, string]>([
    ["no token at all", {}, "none"],
    ["only a refresh token", { "oauth.user.refresh_token": "r" }, "absent"],
    [
      "a token without an end",
      { "oauth.user.token": "t", "oauth.user.refresh_token": "r" },
      "good",
    ],
    [
      "a token that lives 60 s",
      {
        "oauth.user.token": "t",
        "oauth.user.refresh_token": "r",
        "oauth.user.expires_at": at(60_000),
      },
      "good",
    ],
    [
      "a token that lives 59 s",
      {
        "oauth.user.token": "t",
        "oauth.user.refresh_token": "r",
        "oauth.user.expires_at": at(59_000),
      },
      "ending",
    ],
    [
      "a token that is over",
      { "oauth.user.token": "t", "oauth.user.refresh_token": "r", "oauth.user.expires_at": at(0) },
      "ended",
    ],
    [
      "an old token that cannot be renewed",
      { "oauth.user.token": "t", "oauth.user.expires_at": at(-1) },
      "good",
    ],
  ])("%s", (_, configuration, state) => {
    expect(tokenState(configuration, now)).toBe(state);
  });
});

describe("isRefusedForGood", () => {
  it.each<[number, unknown, boolean]>([
    [400, { error: "invalid_grant" }, true],
    [401, { error: "invalid_client" }, true],
    [400, { code: 108 }, true],
    [400, { error: "temporarily_unavailable" }, false],
    [400, "<html>", false],
    [403, { error: "invalid_grant" }, false],
    [429, { error: "invalid_grant" }, false],
    [500, { error: "invalid_grant" }, false],
  ])("%i %o: %s", (status, answer, expected) => {
    expect(isRefusedForGood(status, answer)).toBe(expected);
  });
});

describe("grantIn", () => {
  it("takes the grant's values and nothing else", () => {
    const configuration = {
      ...app,
      "oauth.user.token": "t",
      "oauth.geolocation": "g",
      "oauth.user.refresh_token": null,
    };
    expect(grantIn(concur, configuration)).toEqual({
      "oauth.user.token": "t",
      "oauth.geolocation": "g",
    });
  });
});
