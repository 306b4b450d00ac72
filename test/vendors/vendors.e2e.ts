import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, onTestFinished } from "vitest";
import { boxEmulator } from "./box.ts";
import { startConcur } from "./concur.ts";
import type { ConcurOptions } from "./concur.ts";
import { dropboxEmulator } from "./dropbox.ts";
import { CLIENT } from "./grants.ts";
import { hubspotEmulator } from "./hubspot.ts";
import { quickbooksEmulator, REALM } from "./quickbooks.ts";
import { startReceiver } from "./receiver.ts";
import type { ReceiverOptions } from "./receiver.ts";
import { startSandbox } from "./sandbox.ts";
import type { SandboxOptions, SandboxRecord } from "./sandbox.ts";
import { serveVendor } from "./serve.ts";
import { sfdcEmulator } from "./sfdc.ts";

const closing = <T extends { close(): Promise<void> }>(server: T): T => {
  onTestFinished(() => server.close());
  return server;
};
const NOON = Date.parse("2026-11-02T12:00:00.000Z");
const json = async (response: Response) => (await response.json()) as any;

describe("sandbox", () => {
  const start = async (options?: SandboxOptions) => {
    const sandbox = closing(await startSandbox(options));
    const call = (
      path: string,
      init: { method?: string; body?: string; headers?: Record<string, string> } = {},
    ) =>
      fetch(`${sandbox.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${sandbox.apiKey}`, ...init.headers },
      });
    return { sandbox, call };
  };

  it("answers 401 without its key or with a wrong one", async () => {
    const { sandbox, call } = await start();
    const bare = await fetch(`${sandbox.url}/v1/accounts`);
    expect(bare.status).toBe(401);
    expect(await json(bare)).toEqual({
      error: { code: "unauthorized", message: "Missing or wrong API key" },
    });
    expect(
      (await call("/v1/accounts", { headers: { authorization: "Bearer other" } })).status,
    ).toBe(401);
    expect((await call("/v1/me")).status).toBe(200);
  });

  it.each([
    "/v1/accounts?limit=10",
    "/v1/accounts?page=1&page=2",
    "/v1/accounts?page=0",
    "/v1/accounts?page_size=101",
    "/v1/accounts?page_size=0",
    "/v1/contacts?limit=ten",
    "/v1/contacts?cursor=bogus",
    "/v1/deals?offset=-1",
    "/v1/deals?updated_since=2026-11-02T12:00:00Z",
    "/v1/deals?updated_since=2026-02-30T12:00:00.000Z",
    "/v1/deals?updated_since=2026-11-02T12:00:00.000%2B00:00",
  ])("answers 400 to %s", async (path) => {
    const { call } = await start();
    expect((await call(path)).status).toBe(400);
  });

  it("answers 404 to unknown paths and records", async () => {
    const { call } = await start();
    for (const path of ["/", "/v1/leads", "/v1/accounts/acc_1", "/v1/accounts/a/b"]) {
      expect((await call(path)).status).toBe(404);
    }
  });

  it("pages accounts by page, deals by offset and contacts by cursor, in the order of change", async () => {
    const { sandbox, call } = await start();
    for (const resource of ["accounts", "contacts", "deals"] as const) {
      const ids = [3, 1, 2, 2, 2].map((at) => sandbox.create(resource, {}, NOON + at).id);
      const expected = [1, 2, 3, 4, 0].map((index) => ids[index]);
      const seen: string[] = [];
      let position = { accounts: "page=1", contacts: "", deals: "offset=0" }[resource];
      const size = resource === "accounts" ? "page_size" : "limit";
      while (position !== undefined) {
        const page = await json(await call(`/v1/${resource}?${size}=2&${position}`));
        seen.push(...page.data.map((record: SandboxRecord) => record.id));
        if (resource === "contacts") position = page.paging.next && `cursor=${page.paging.next}`;
        else if (page.data.length < 2) position = undefined as never;
        else
          position =
            resource === "accounts" ? `page=${page.page + 1}` : `offset=${page.offset + 2}`;
      }
      expect(seen).toEqual(expected);
    }
  });

  it("includes the instant of updated_since, and deleted records with their flag", async () => {
    const { sandbox, call } = await start();
    sandbox.create("accounts", { name: "Old" }, NOON - 1);
    const { id } = sandbox.create("accounts", { name: "Gone" }, NOON - 2);
    sandbox.remove("accounts", id, NOON);
    const { data } = await json(await call("/v1/accounts?updated_since=2026-11-02T12:00:00.000Z"));
    expect(data).toEqual([
      {
        id,
        name: "Gone",
        createdDate: "2026-11-02T11:59:59.998Z",
        updatedDate: "2026-11-02T12:00:00.000Z",
        deleted: true,
      },
    ]);
  });

  it("lists a record only from visibleAt on, and its version before until then", async () => {
    let now = NOON;
    const { sandbox, call } = await start({ now: () => now });
    const names = async () =>
      (await json(await call("/v1/accounts"))).data.map((record: SandboxRecord) => record["name"]);
    const { id } = sandbox.create("accounts", { name: "One" }, NOON - 1, NOON + 120_000);
    expect(await names()).toEqual([]);
    now = NOON + 120_000;
    expect(await names()).toEqual(["One"]);
    sandbox.update("accounts", id, { name: "Two" }, NOON + 1, NOON + 240_000);
    expect(await names()).toEqual(["One"]);
    now = NOON + 240_000;
    expect(await names()).toEqual(["Two"]);
  });

  it("creates, changes and deletes over HTTP, each change a later version", async () => {
    const { call } = await start({ now: () => NOON });
    const send = (method: string, path: string, body?: unknown) =>
      call(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const created = await send("POST", "/v1/deals", { name: "Renewal", amount: 5 });
    expect(created.status).toBe(201);
    const { id } = await json(created);
    const changed = await json(await send("PATCH", `/v1/deals/${id}`, { amount: 6 }));
    expect(changed).toMatchObject({ amount: 6, updatedDate: "2026-11-02T12:00:00.001Z" });
    expect(await json(await send("DELETE", `/v1/deals/${id}`))).toMatchObject({ deleted: true });
    expect((await send("PATCH", `/v1/deals/${id}`, { amount: 7 })).status).toBe(404);
    expect((await send("POST", "/v1/deals", { amount: 5 })).status).toBe(400);
    expect((await send("POST", "/v1/deals", { name: 5 })).status).toBe(400);
    expect((await send("POST", "/v1/deals", { name: "x", size: 5 })).status).toBe(400);
    expect((await call("/v1/deals", { method: "POST", body: "{" })).status).toBe(400);
    expect((await send("PUT", "/v1/deals")).status).toBe(405);
  });

  it("answers 429 with Retry-After over its rate limit until the minute is over", async () => {
    let now = NOON + 20_000;
    const { sandbox, call } = await start({ now: () => now, rateLimitPerMinute: 2 });
    const statuses = [];
    for (let i = 0; i < 2; i += 1) statuses.push((await call("/v1/me")).status);
    const limited = await call("/v1/me");
    expect([...statuses, limited.status]).toEqual([200, 200, 429]);
    expect(limited.headers.get("retry-after")).toBe("40");
    now = NOON + 60_000;
    expect((await call("/v1/me")).status).toBe(200);
    expect(sandbox.requests.map(({ path, status }) => [path, status])).toEqual([
      ["/v1/me", 200],
      ["/v1/me", 200],
      ["/v1/me", 429],
      ["/v1/me", 200],
    ]);
  });

  it("fails and hangs on demand, and closes with a request hanging", async () => {
    const { sandbox, call } = await start();
    sandbox.failNext({
      status: 503,
      headers: { "retry-after": "7" },
      body: { down: true },
      times: 2,
      path: "/v1/deals",
    });
    const failed = await call("/v1/deals");
    expect([failed.status, failed.headers.get("retry-after"), await json(failed)]).toEqual([
      503,
      "7",
      { down: true },
    ]);
    expect((await call("/v1/accounts")).status).toBe(200);
    expect((await call("/v1/deals")).status).toBe(503);
    expect((await call("/v1/deals")).status).toBe(200);
    sandbox.delayNext({ delayMs: Infinity });
    const hanging = call("/v1/deals");
    const outcome = expect(hanging).rejects.toThrow();
    await expect.poll(() => sandbox.requests.at(-1)?.status).toBe(0);
    await sandbox.close();
    await outcome;
  });

  it("makes plausible changes, each visible in its list", async () => {
    const { sandbox, call } = await start();
    for (let i = 0; i < 60; i += 1) {
      const { resource, record } = sandbox.makeChange();
      const { data } = await json(
        await call(`/v1/${resource}?updated_since=${record.updatedDate}`),
      );
      expect(data).toContainEqual(record);
    }
  });
});

describe("concur", () => {
  const start = async (options?: ConcurOptions) => {
    const concur = closing(await startConcur(options));
    const { clientId, clientSecret } = concur;
    const token = (form: Record<string, string>) =>
      fetch(`${concur.url}/oauth2/v0/token`, {
        method: "POST",
        body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...form }),
      });
    const login = async () =>
      json(await token({ grant_type: "authorization_code", code: concur.issueCode() }));
    const { access_token } = await login();
    const reports = (query: string, accessToken: string = access_token) =>
      fetch(`${concur.url}/api/v3.0/expense/reports${query}`, {
        headers: { authorization: `Bearer ${accessToken}` },
      });
    return { concur, token, login, reports };
  };

  it("exchanges a code once, sent back by its authorize page", async () => {
    const { concur, token } = await start();
    const redirect_uri = "https://app.example/callback?from=concur";
    const query = new URLSearchParams({
      client_id: concur.clientId,
      redirect_uri,
      response_type: "code",
      scope: "EXPRPT",
      state: "s 1",
    });
    const consent = await fetch(`${concur.url}/oauth2/v0/authorize?${query.toString()}`, {
      redirect: "manual",
    });
    const back = new URL(consent.headers.get("location")!);
    expect([consent.status, back.searchParams.get("from"), back.searchParams.get("state")]).toEqual(
      [302, "concur", "s 1"],
    );
    const form = {
      grant_type: "authorization_code",
      code: back.searchParams.get("code")!,
      redirect_uri,
    };
    expect(await json(await token(form))).toMatchObject({
      expires_in: "3600",
      token_type: "Bearer",
      geolocation: concur.url,
    });
    expect((await token(form)).status).toBe(400);
    expect((await token({ ...form, client_secret: "wrong" })).status).toBe(401);
    expect(
      (await token({ ...form, code: concur.issueCode("https://other.example/") })).status,
    ).toBe(400);
    expect((await token({ grant_type: "password" })).status).toBe(400);
    expect(concur.tokenRequests).toBe(6);
  });

  it("keeps the refresh token on a refresh, or rotates it, and may move", async () => {
    for (const rotateRefreshTokens of [false, true]) {
      const { concur, token, login, reports } = await start({ rotateRefreshTokens });
      const first = await login();
      concur.moveTo(concur.url.replace("127.0.0.1", "localhost"));
      const second = await json(
        await token({ grant_type: "refresh_token", refresh_token: first.refresh_token }),
      );
      expect(second.refresh_token === first.refresh_token).toBe(!rotateRefreshTokens);
      expect(second.geolocation).toMatch(/^http:\/\/localhost:/);
      const again = await token({
        grant_type: "refresh_token",
        refresh_token: first.refresh_token,
      });
      expect(again.status).toBe(rotateRefreshTokens ? 400 : 200);
      expect((await reports("?user=ALL", second.access_token)).status).toBe(200);
    }
  });

  it("refuses missing, expired and revoked access tokens with 401", async () => {
    let now = NOON;
    const { concur, login, reports } = await start({ now: () => now });
    expect((await reports("?user=ALL")).status).toBe(200);
    expect((await reports("?user=ALL", "wrong")).status).toBe(401);
    now = NOON + 3_600_000;
    const expired = await reports("?user=ALL");
    expect([expired.status, await json(expired)]).toEqual([
      401,
      { Message: "Invalid or expired access token" },
    ]);
    const { access_token } = await login();
    expect((await reports("?user=ALL", access_token)).status).toBe(200);
    concur.expireTokens();
    expect((await reports("?user=ALL", access_token)).status).toBe(401);
  });

  it.each([
    "?user=ALL&modifiedDateAfter=2026-11-02T12:00:00.000Z",
    "?user=ALL&modifiedDateAfter=2026-11-02T12:00:00",
    "?user=ALL&createDateBefore=2026-11-02",
    "?user=ALL&submitDateAfter=2026-13-02T12:00:00.000",
    "?user=ALL&limit=101",
    "?user=ALL&limit=0",
    "?user=ALL&offset=bogus",
    "?user=ALL&pageSize=10",
    "?user=ALL&user=ALL",
  ])("answers 400 to %s", async (query) => {
    const { reports } = await start();
    expect((await reports(query)).status).toBe(400);
  });

  it("pages by NextPage in the order of ID, with dates cut and without zone", async () => {
    const { concur, reports } = await start();
    const created = Date.parse("2013-09-02T19:05:57.687Z");
    const modified = Date.parse("2013-09-02T19:46:01.980Z");
    concur.addReport({ id: "B", created, modified: created - 1 });
    concur.addReport({ id: "C", created, modified: Date.parse("2013-09-03T00:00:00Z") });
    concur.addReport({ id: "A", created, modified, fields: { Name: "Trip" } });
    const query = "?user=ALL&limit=1&modifiedDateAfter=2013-09-02T19:46:01.980";
    const first = await json(await reports(query));
    expect(first.Items).toMatchObject([
      {
        ID: "A",
        Name: "Trip",
        CreateDate: "2013-09-02T19:05:57.687",
        LastModifiedDate: "2013-09-02T19:46:01.98",
      },
    ]);
    expect(first.NextPage).toMatch(`${concur.url}/api/v3.0/expense/reports?`);
    const second = await json(await reports(new URL(first.NextPage).search));
    expect(second).toMatchObject({
      Items: [{ ID: "C", LastModifiedDate: "2013-09-03T00:00:00" }],
      NextPage: null,
    });
  });

  it("filters by user and status, and lists late what is indexed late", async () => {
    let now = NOON;
    const { concur, reports } = await start({ now: () => now });
    const ids = async (query: string) =>
      (await json(await reports(query))).Items.map((item: any) => item.ID);
    concur.addReport({
      id: "A",
      created: NOON,
      modified: NOON,
      fields: { ApprovalStatusCode: "A_PEND" },
    });
    concur.addReport({ id: "B", created: NOON, modified: NOON, visibleAt: NOON + 60_000 });
    expect(await ids("")).toEqual([]);
    expect(await ids("?user=ALL")).toEqual(["A"]);
    now = NOON + 60_000;
    expect(await ids("?user=ALL")).toEqual(["A", "B"]);
    expect(await ids("?user=ALL&approvalStatusCode=A_ACCO,A_PEND")).toEqual(["A"]);
    concur.touch("A", now);
    expect(await ids("?user=ALL&modifiedDateAfter=2026-11-02T12:00:00.001")).toEqual(["A"]);
    expect((await reports("/A")).status).toBe(200);
    expect((await reports("/Z")).status).toBe(404);
  });
});

const CALLBACK = "https://app.example/cb";
const day = 86_400;

describe.each([
  {
    name: "box",
    emulator: boxEmulator,
    authorize: "/api/oauth2/authorize",
    token: "/oauth2/token",
    scope: "root_readwrite manage_webhook",
    lifetime: 3600,
    spent: "at once",
    refreshHolds: 60 * day,
    probe: { path: "/2.0/users/me" },
    limited: { status: 429, retryAfter: "30" },
  },
  {
    name: "dropbox",
    emulator: dropboxEmulator,
    authorize: "/oauth2/authorize",
    token: "/oauth2/token",
    scope: "files.metadata.read",
    more: { token_access_type: "offline" },
    lifetime: 14_400,
    spent: "never",
    probe: { path: "/2/check/user", body: { query: "ping" } },
    limited: { status: 429, retryAfter: "30" },
  },
  {
    name: "hubspot",
    emulator: hubspotEmulator,
    authorize: "/oauth/authorize",
    token: "/oauth/2026-03/token",
    scope: "oauth crm.objects.contacts.read",
    lifetime: 1800,
    spent: "never",
    probe: { path: "/crm/v3/objects/contacts" },
    limited: { status: 429, retryAfter: null },
  },
  {
    name: "quickbooks",
    emulator: quickbooksEmulator,
    authorize: "/connect/oauth2",
    token: "/oauth2/v1/tokens/bearer",
    scope: "com.intuit.quickbooks.accounting",
    basic: true,
    lifetime: 3600,
    spent: "after a day",
    refreshHolds: 8_726_400,
    probe: { path: `/v3/company/${REALM}/companyinfo/${REALM}?minorversion=75` },
    limited: { status: 429, retryAfter: null },
  },
  {
    name: "sfdc",
    emulator: sfdcEmulator,
    authorize: "/services/oauth2/authorize",
    token: "/services/oauth2/token",
    scope: "api refresh_token",
    lifetime: 7200,
    spent: "at once",
    refreshHolds: 30 * day,
    probe: { path: "/services/data/v62.0/limits" },
    limited: { status: 403, retryAfter: null },
  },
])("$name", (vendor) => {
  let now = NOON;
  const start = async () => {
    now = NOON;
    const server = closing(await serveVendor<any>(vendor.emulator({ now: () => now })));
    const consent = async (change: Record<string, string> = {}) => {
      const query = new URLSearchParams({
        client_id: CLIENT.id,
        redirect_uri: CALLBACK,
        response_type: "code",
        scope: vendor.scope,
        state: "s 1",
        ...vendor.more,
        ...change,
      });
      const url = `${server.url}${vendor.authorize}?${query.toString()}`;
      const answer = await fetch(url, { redirect: "manual" });
      const location = answer.headers.get("location");
      return { status: answer.status, back: location === null ? null : new URL(location) };
    };
    const token = async (form: Record<string, string>, secret = CLIENT.secret) => {
      const basic = `Basic ${Buffer.from(`${CLIENT.id}:${secret}`).toString("base64")}`;
      const proof = { client_id: CLIENT.id, client_secret: secret };
      const answer = await fetch(`${server.url}${vendor.token}`, {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          ...(vendor.basic ? { authorization: basic } : {}),
        },
        body: String(new URLSearchParams({ ...form, ...(vendor.basic ? {} : proof) })),
      });
      return { status: answer.status, body: await json(answer) };
    };
    const exchange = async (change: Record<string, string> = {}) => {
      const { back } = await consent();
      const code = back?.searchParams.get("code") ?? "";
      return token({ grant_type: "authorization_code", code, redirect_uri: CALLBACK, ...change });
    };
    const probe = (accessToken: string) =>
      fetch(`${server.url}${vendor.probe.path}`, {
        headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
        ...(vendor.probe.body && { method: "POST", body: JSON.stringify(vendor.probe.body) }),
      });
    return { server, consent, token, exchange, probe };
  };

  it("asks for consent by its own rules, and sends back code and state", async () => {
    const { consent } = await start();
    const { status, back } = await consent();
    expect([status, back?.searchParams.get("state")]).toEqual([302, "s 1"]);
    expect(back?.searchParams.get("realmId")).toBe(vendor.name === "quickbooks" ? REALM : null);
    for (const change of [
      { client_id: "other" },
      { response_type: "token" },
      { redirect_uri: "nowhere" },
      { scope: "everything" },
      { code_challenge: "c", code_challenge_method: "plain" },
      ...(vendor.more === undefined ? [] : [{ token_access_type: "online" }]),
    ] as Record<string, string>[])
      expect((await consent(change)).status, JSON.stringify(change)).toBe(400);
  });

  it("takes a code once, with its redirect and its verifier, from the client it was given to", async () => {
    const { consent, token, exchange } = await start();
    expect((await exchange()).status).toBe(200);
    expect((await exchange({ redirect_uri: "https://other.example/" })).status).toBe(400);
    expect((await exchange({ code_verifier: "nobody asked" })).status).toBe(400);
    const { back } = await consent({ code_challenge: "c", code_challenge_method: "S256" });
    const form = { grant_type: "authorization_code", redirect_uri: CALLBACK };
    const code = back?.searchParams.get("code") ?? "";
    expect((await token({ ...form, code })).status).toBe(400);
    const once = (await consent()).back?.searchParams.get("code") ?? "";
    expect((await token({ ...form, code: once }, "wrong")).status).toBe(401);
    expect((await token({ ...form, code: once })).status).toBe(200);
    expect((await token({ ...form, code: once })).status).toBe(400);
    expect((await token({ grant_type: "password" })).status).toBe(400);
  });

  it(`ends access tokens, and spends refresh tokens ${vendor.spent}`, async () => {
    const { exchange, token, probe } = await start();
    const first = (await exchange()).body;
    expect((await probe(first.access_token)).status).toBe(200);
    expect((await probe("made-up")).status).toBe(401);
    now += vendor.lifetime * 1000;
    expect((await probe(first.access_token)).status).toBe(401);
    const refresh = () =>
      token({ grant_type: "refresh_token", refresh_token: first.refresh_token });
    const second = await refresh();
    expect((await probe(second.body.access_token)).status).toBe(200);
    expect((await refresh()).status).toBe(vendor.spent === "at once" ? 400 : 200);
    now += (day + 1) * 1000;
    expect((await refresh()).status).toBe(vendor.spent === "never" ? 200 : 400);
    if (vendor.name === "dropbox") expect(second.body).not.toHaveProperty("refresh_token");
    if (vendor.refreshHolds === undefined) return;
    now += vendor.refreshHolds * 1000;
    const idle = { grant_type: "refresh_token", refresh_token: second.body.refresh_token };
    expect((await token(idle)).status).toBe(400);
  });

  it("says in its own way that it is asked too often", async () => {
    const { server, exchange, probe } = await start();
    const { access_token } = (await exchange()).body;
    server.limit(1000);
    const answer = await probe(access_token);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([
      vendor.limited.status,
      vendor.limited.retryAfter,
    ]);
    now += 1000;
    expect((await probe(access_token)).status).toBe(200);
  });

  it("refuses dates, cursors and queries that the vendor would refuse", async () => {
    const { server, exchange } = await start();
    const { access_token } = (await exchange()).body;
    const soql = (where: string) =>
      `/services/data/v62.0/queryAll?q=${encodeURIComponent(`SELECT Id FROM Contact WHERE ${where} ORDER BY SystemModstamp, Id`)}`;
    const cdc = (query: string) => `/v3/company/${REALM}/cdc?minorversion=75&${query}`;
    const search = (filter: object, sort = "ASCENDING") => ({
      filterGroups: [
        { filters: [{ propertyName: "lastmodifieddate", operator: "GTE", ...filter }] },
      ],
      sorts: [{ propertyName: "lastmodifieddate", direction: sort }],
    });
    const refused: Record<string, [path: string, body?: object][]> = {
      box: [["/2.0/events?stream_position=12"], ["/2.0/events?limit=501"], ["/2.0/events?since=x"]],
      dropbox: [
        ["/2/files/list_folder", { path: "/", recursive: true }],
        ["/2/files/list_folder/continue", { cursor: "e30", limit: 1 }],
      ],
      hubspot: [
        ["/crm/v3/objects/contacts/search", search({ value: "2026-11-02T12:00:00Z" })],
        [
          "/crm/v3/objects/contacts/search",
          search({ propertyName: "hs_lastmodifieddate", value: "1" }),
        ],
        ["/crm/v3/objects/contacts/search", search({ value: "1" }, "DESCENDING")],
      ],
      quickbooks: [
        [cdc("entities=Customer&changedSince=yesterday")],
        [cdc("entities=Customer&changedSince=2026-09-01T00:00:00Z")],
        [cdc("entities=TaxCode&changedSince=2026-11-02T00:00:00Z")],
        [`/v3/company/${REALM}/query?minorversion=75&query=SELECT%20Id%20FROM%20Customer`],
      ],
      sfdc: [
        [soql("SystemModstamp >= '2026-11-02T12:00:00Z'")],
        [soql("SystemModstamp >= 2026-11-02T12:00:00")],
        [soql("Name = 'A'")],
      ],
    };
    for (const [path, body] of refused[vendor.name] ?? []) {
      const answer = await fetch(`${server.url}${path}`, {
        headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      });
      expect([400, 409], path).toContain(answer.status);
    }
  });
});

describe("receiver", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const start = async (options?: ReceiverOptions) => {
    const receiver = closing(await startReceiver(options));
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${receiver.url}/hook`, { method: "POST", body, headers });
    return { receiver, post };
  };
  const signed = (body: string, sentAt = new Date()) => ({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("msg_1", sentAt, body),
  });

  it("records and verifies Standard Webhooks", async () => {
    const { receiver, post } = await start();
    const body = '{"a":"é"}';
    await post(body, signed(body));
    receiver.setSecret(secret);
    await post(body, signed(body));
    await post(`${body} `, signed(body));
    await post(body, signed(body, new Date(Date.now() - 600_000)));
    await post(body);
    expect(receiver.deliveries.map((it) => it.standardVerified)).toEqual([
      null,
      true,
      false,
      false,
      false,
    ]);
    expect(receiver.deliveries[1]).toMatchObject({
      path: "/hook",
      webhookId: "msg_1",
      text: body,
      body: { a: "é" },
      legacyVerified: null,
    });
  });

  it("verifies the legacy signature, the reference's vector included", async () => {
    const { receiver, post } = await start({ legacyKey: "MySecretEventSignatureKey" });
    const vector = "sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=";
    await post("<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>", {
      "elements-webhook-signature": vector,
    });
    await post("other", { "elements-webhook-signature": vector });
    const hex = createHmac("sha256", "MySecretEventSignatureKey").update("x").digest("hex");
    await post("x", { "elements-webhook-signature": `sha256=${hex}` });
    expect(receiver.deliveries.map((it) => it.legacyVerified)).toEqual([true, false, false]);
  });

  it("answers as told and waits for deliveries", async () => {
    const { receiver, post } = await start({
      respond: ({ text }) => ({ status: text === "bad" ? 500 : 204 }),
    });
    const waited = receiver.waitFor((deliveries) => deliveries.some((it) => it.text === "good"));
    expect((await post("bad")).status).toBe(500);
    expect((await post("good")).status).toBe(204);
    expect(await waited).toHaveLength(2);
    expect(await receiver.waitFor(2)).toBe(receiver.deliveries);
    receiver.respond = () => ({ status: 503, headers: { "retry-after": "3" } });
    expect((await post("again")).headers.get("retry-after")).toBe("3");
    await expect(receiver.waitFor(4, 20)).rejects.toThrow(
      "Waited 20 ms in vain, with 3 deliveries",
    );
  });
});
