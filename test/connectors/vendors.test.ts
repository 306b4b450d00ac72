import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { readConfig } from "../../src/config";
import { findConnector } from "../../src/connectors/catalog";
import { feeds } from "../../src/connectors/parsers";
import { writePageToken } from "../../src/hub/page-token";
import { FIRST } from "../organization";
import { emulate, platform, VENDOR } from "../platform";
import { boxEmulator } from "../vendors/box";
import { dropboxEmulator } from "../vendors/dropbox";
import { CLIENT, CODE } from "../vendors/grants";
import { hubspotEmulator } from "../vendors/hubspot";
import { quickbooksEmulator } from "../vendors/quickbooks";
import { sfdcEmulator } from "../vendors/sfdc";
import { connect as connectOn, HOUR, SINCE, told as toldOn } from "../polling/pitfalls/connect";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

const connect = (key: string, configuration: Record<string, unknown>, data: object = {}) =>
  connectOn(on, key, configuration, data);
const told = (id: number) => toldOn(on, id);

const sorted = (lists: string[][]) => lists.toSorted((a, b) => (a.join() < b.join() ? -1 : 1));

const hub = (instance: { token: string }, method: string, path: string, body?: unknown) =>
  on.call(method, path, body, {
    authorization: `User ${FIRST.userSecret}, Element ${instance.token}`,
  });

describe("box", () => {
  it("follows the stream with all digits of its position, over short pages, each event once", async () => {
    const box = boxEmulator();
    box.log("history", "ITEM_UPLOAD", { type: "file", id: "1", etag: "0" });
    const { paths } = emulate(box.answer);
    const { id } = await connect("box", {});
    expect((await on.poll(id)).status).toBe(200);
    expect(await told(id)).toEqual([]);
    for (const name of ["a", "b", "c", "d", "a"])
      box.log(name, "ITEM_UPLOAD", { type: "file", id: `f-${name}`, etag: "0" });
    box.log("e", "ITEM_TRASH", { type: "file", id: "f-a", etag: "0" });
    box.log("f", "ITEM_CREATE", { item_type: "folder", item_id: "7", item_name: "x" });
    box.log("g", "ITEM_RENAME", null);
    box.log("h", "ITEM_PREVIEW", { type: "file", id: "f-a", etag: "0" });
    expect((await on.poll(id)).status).toBe(200);
    expect(await told(id)).toEqual([
      ["CREATED", "files", "f-a"],
      ["CREATED", "files", "f-b"],
      ["CREATED", "files", "f-c"],
      ["CREATED", "files", "f-d"],
      ["DELETED", "files", "f-a"],
      ["CREATED", "folders", "7"],
    ]);
    const { cursor } = await on.streamOf(id).inspect();
    expect(JSON.parse(cursor ?? "").feed.position).toBe("1152922976252290810");
    const { version } = await on.streamOf(id).inspect();
    const before = paths.length;
    expect((await on.poll(id)).status).toBe(200);
    expect(paths.length).toBe(before + 1);
    expect((await on.streamOf(id).inspect()).version).toBe(version);
  });

  it("leaves Box alone for as long as its Retry-After says", async () => {
    const box = boxEmulator();
    emulate(box.answer);
    const { id } = await connect("box", {});
    await on.poll(id);
    box.limit(60_000);
    expect((await on.poll(id)).status).toBe(502);
    const { cursor } = await on.streamOf(id).inspect();
    expect(JSON.parse(cursor ?? "").notBefore).toBeGreaterThan(Date.now() + 20_000);
  });

  it("spends a refresh token of single use once, whoever asks at the same time", async () => {
    const box = boxEmulator();
    emulate(box.answer);
    const instance = await connect("box", {});
    box.oauth.expire();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => hub(instance, "GET", "/hubs/documents/webhooks")),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(box.oauth.granted).toEqual(["authorization_code", "refresh_token"]);
  });
});

describe("dropbox", () => {
  it("records what is there, then tells what changes, page after page", async () => {
    const dropbox = dropboxEmulator();
    for (const name of ["a", "b", "c", "d", "e"])
      dropbox.put(`id:${name}`, `/${name}.txt`, "file", SINCE - HOUR);
    emulate(dropbox.answer);
    const { id, configuration } = await connect("dropbox", {});
    expect(configuration["oauth.user.id"]).toBe("dbid:AAH4");
    expect((await on.poll(id)).status).toBe(200);
    expect(await told(id)).toEqual([]);
    dropbox.put("id:a", "/a.txt");
    dropbox.put("id:new", "/new.txt");
    dropbox.remove("/b.txt");
    await on.poll(id);
    expect(await told(id)).toEqual([
      ["UPDATED", "files", "id:a"],
      ["CREATED", "files", "id:new"],
      ["DELETED", "files", "id:b"],
    ]);
    const { version } = await on.streamOf(id).inspect();
    await on.poll(id);
    expect((await on.streamOf(id).inspect()).version).toBe(version);
  });

  it("DB-4: given a deleted folder, then all below it is deleted; an unknown path is told by itself", async () => {
    const dropbox = dropboxEmulator({ pageSize: 50 });
    dropbox.put("id:f", "/math", "folder", SINCE - HOUR);
    dropbox.put("id:1", "/math/primes.txt", "file", SINCE - HOUR);
    dropbox.put("id:2", "/math/sub/pi.txt", "file", SINCE - HOUR);
    dropbox.put("id:3", "/mathematics.txt", "file", SINCE - HOUR);
    emulate(dropbox.answer);
    const { id } = await connect("dropbox", {});
    await on.poll(id);
    dropbox.remove("/math");
    dropbox.remove("/never-seen.txt");
    await on.poll(id);
    expect(sorted(await told(id))).toEqual([
      ["DELETED", "files", "/never-seen.txt"],
      ["DELETED", "files", "id:1"],
      ["DELETED", "files", "id:2"],
      ["DELETED", "folders", "id:f"],
    ]);
  });

  it("DB-7: given reset, then a full list is compared with what is known, and only differences are told", async () => {
    const dropbox = dropboxEmulator();
    for (const name of ["a", "b", "c", "d", "e"])
      dropbox.put(`id:${name}`, `/${name}.txt`, "file", SINCE - HOUR);
    emulate(dropbox.answer);
    const { id } = await connect("dropbox", {});
    await on.poll(id);
    dropbox.silently(() => {
      dropbox.remove("/a.txt");
      dropbox.put("id:b", "/b.txt");
      dropbox.put("id:n", "/n.txt");
    });
    dropbox.reset();
    expect((await on.poll(id)).status).toBe(200);
    expect(sorted(await told(id))).toEqual([
      ["CREATED", "files", "id:n"],
      ["DELETED", "files", "id:a"],
      ["UPDATED", "files", "id:b"],
    ]);
    dropbox.put("id:z", "/z.txt");
    await on.poll(id);
    expect(await told(id)).toHaveLength(4);
  });

  it("keeps its refresh token, which no answer repeats", async () => {
    const dropbox = dropboxEmulator();
    emulate(dropbox.answer);
    const instance = await connect("dropbox", {});
    dropbox.oauth.expire();
    expect((await on.poll(instance.id)).status).toBe(200);
    dropbox.oauth.expire();
    expect((await on.poll(instance.id)).status).toBe(200);
    expect(dropbox.oauth.granted).toHaveLength(3);
  });

  it("lists, reads by id and says in its own words what is not there", async () => {
    const dropbox = dropboxEmulator();
    for (const name of ["a", "b", "c"]) dropbox.put(`id:${name}`, `/${name}.txt`);
    emulate(dropbox.answer);
    const instance = await connect("dropbox", {});
    const page = await hub(instance, "GET", "/hubs/documents/files");
    expect(page.body.map((entry: any) => entry.id)).toEqual(["id:a", "id:b"]);
    const one = await hub(instance, "GET", "/hubs/documents/files/id%3Ab");
    expect(one.body).toMatchObject({ id: "id:b" });
    expect((await hub(instance, "GET", "/hubs/documents/files/id%3Az")).status).toBe(409);
  });
});

describe("sfdc", () => {
  const resource = { "event.objects": "Contact" };
  const idOf = (index: number) => `003ak${String(index).padStart(10, "0")}AAA`;

  it("SF-5: given 5000 rows with one SystemModstamp, then each once", async () => {
    const sfdc = sfdcEmulator();
    const at = Math.floor((SINCE + HOUR) / 1000) * 1000;
    for (let index = 0; index < 5_000; index += 1) sfdc.put(idOf(index), at);
    emulate(sfdc.answer);
    const { id, configuration } = await connect("sfdc", resource);
    expect(configuration["sfdc.organization.id"]).toBe("00Dak000000abcdEAA");
    const { body } = await on.poll(id);
    expect(body.resources).toMatchObject([{ objectType: "Contact", created: 5_000, error: null }]);
    const again = await on.poll(id);
    expect(again.body.resources).toMatchObject([{ created: 0, updated: 0 }]);
  });

  it("SF-5: asks for what lies behind the last record when its locator died", async () => {
    const sfdc = sfdcEmulator({ pageSize: 3 });
    const at = Math.floor((SINCE + HOUR) / 1000) * 1000;
    for (let index = 0; index < 8; index += 1) sfdc.put(idOf(index), at);
    emulate(sfdc.answer);
    const instance = await connect("sfdc", resource);
    const first = await hub(instance, "GET", "/hubs/crm/Contact");
    expect(first.body).toHaveLength(3);
    sfdc.forgetLocators();
    const token = writePageToken(
      { after: [first.body[2].SystemModstamp, first.body[2].Id] },
      { organizationId: 1, instanceId: instance.id, resource: "Contact" },
      readConfig(env).sessionKey,
    );
    const second = await hub(instance, "GET", `/hubs/crm/Contact?nextPage=${token}`);
    expect(second.body.map(({ Id }: any) => Id)).toEqual([3, 4, 5].map(idOf));
    expect(sfdc.queries.at(-1)).toContain(`AND Id > '${idOf(2)}') OR SystemModstamp > `);
  });

  it("tells created, updated and deleted rows apart, and finds one that becomes visible late", async () => {
    const sfdc = sfdcEmulator();
    emulate(sfdc.answer);
    const { id } = await connect("sfdc", resource);
    const at = Date.now() - HOUR;
    sfdc.put(idOf(1), at);
    sfdc.put(idOf(2), at, at - HOUR);
    sfdc.put(idOf(3), at, at - HOUR, true);
    await on.poll(id);
    expect(sorted(await told(id))).toEqual([
      ["CREATED", "Contact", idOf(1)],
      ["DELETED", "Contact", idOf(3)],
      ["UPDATED", "Contact", idOf(2)],
    ]);
    sfdc.put(idOf(4), Date.now() - 5 * 60_000);
    await on.poll(id);
    expect(await told(id)).toHaveLength(4);
  });

  it("binds the code to the platform by a verifier that the authorize URL challenged", async () => {
    // Its own: the platform remembers for which callback it challenged.
    const callbackUrl = "https://challenged.example/cb";
    const query = new URLSearchParams({ apiKey: CLIENT.id, apiSecret: CLIENT.secret, callbackUrl });
    const { body } = await on.call("GET", `/elements/sfdc/oauth/url?${query.toString()}`);
    const url = new URL(body.oauthUrl);
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    const challenge = url.searchParams.get("code_challenge") ?? "";
    emulate(sfdcEmulator({ pkce: { challenge } }).answer);
    await connect("sfdc", { ...resource, "oauth.callback.url": callbackUrl });
    emulate(sfdcEmulator({ pkce: { challenge: "another" } }).answer);
    const refused = await on.call("POST", "/instances", {
      element: { key: "sfdc" },
      providerData: { code: CODE },
      configuration: {
        "oauth.api.key": CLIENT.id,
        "oauth.api.secret": CLIENT.secret,
        "oauth.base.url": VENDOR,
        "base.url": VENDOR,
      },
    });
    expect(refused.status).toBe(400);
  });

  it("refreshes on INVALID_SESSION_ID, as no answer says when a token ends", async () => {
    const sfdc = sfdcEmulator();
    emulate(sfdc.answer);
    const { id } = await connect("sfdc", resource);
    sfdc.oauth.expire();
    expect((await on.poll(id)).status).toBe(200);
    expect(sfdc.oauth.granted).toEqual(["authorization_code", "refresh_token"]);
  });

  it("creates and changes records, and reads any object by its own name", async () => {
    const sfdc = sfdcEmulator();
    sfdc.put(idOf(1), Date.now());
    emulate(sfdc.answer);
    const instance = await connect("sfdc", resource);
    expect(
      (await hub(instance, "POST", "/hubs/crm/Contact", { LastName: "A" })).body,
    ).toMatchObject({
      success: true,
    });
    expect(
      (await hub(instance, "PATCH", `/hubs/crm/Contact/${idOf(1)}`, { LastName: "B" })).status,
    ).toBe(200);
    const custom = await hub(instance, "GET", "/hubs/crm/sobjects/Invoice__c");
    expect(custom.status).toBe(200);
    expect(sfdc.queries.at(-1)).toContain("FROM Invoice__c");
    const bad = await hub(instance, "GET", "/hubs/crm/sobjects/A%20B");
    expect(bad.status).toBe(400);
  });
});

describe("hubspot", () => {
  const only = (name: string) => ({ "event.objects": name });

  it("HS-6: given more rows than a search gives, many with one timestamp, then it ends and tells each once", async () => {
    const hubspot = hubspotEmulator({ most: 400 });
    const paging = findConnector("hubspot")?.resources["contacts"]?.paging;
    if (paging?.style !== "search") throw new Error("HubSpot is searched");
    paging.most = 400;
    onTestFinished(() => void (paging.most = 10_000));
    const at = SINCE + HOUR;
    for (let index = 1; index <= 100; index += 1)
      hubspot.put("contacts", String(index), at - 1000 + index);
    for (let index = 101; index <= 1_100; index += 1) hubspot.put("contacts", String(index), at);
    for (let index = 1_101; index <= 1_200; index += 1)
      hubspot.put("contacts", String(index), at + index);
    emulate(hubspot.answer);
    const { id, configuration } = await connect("hubspot", only("contacts"));
    expect(configuration["hubspot.portal.id"]).toBe("62515");
    const { status, body } = await on.poll(id);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.resources).toMatchObject([{ objectType: "contacts", created: 1_200 }]);
  });

  it("asks companies for hs_lastmodifieddate and contacts for lastmodifieddate", async () => {
    const hubspot = hubspotEmulator();
    emulate(hubspot.answer);
    const { id } = await connect("hubspotcrm", {});
    const at = Date.now() - HOUR;
    hubspot.put("contacts", "1", at, at - HOUR);
    hubspot.put("companies", "2", at);
    hubspot.put("deals", "3", at, at - 9_000);
    const { status, body } = await on.poll(id);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(sorted(await told(id))).toEqual([
      ["CREATED", "accounts", "2"],
      ["CREATED", "opportunities", "3"],
      ["UPDATED", "contacts", "1"],
    ]);
  });

  it("lists by where in epoch filters, and creates", async () => {
    const hubspot = hubspotEmulator();
    hubspot.put("contacts", "1", Date.parse("2026-01-01T00:00:00Z"));
    hubspot.put("contacts", "2", Date.parse("2026-02-01T00:00:00Z"));
    emulate(hubspot.answer);
    const instance = await connect("hubspot", {});
    const where = encodeURIComponent("lastmodifieddate>'2026-01-15T00:00:00Z'");
    const list = await hub(instance, "GET", `/hubs/crm/contacts?where=${where}`);
    expect(list.body.map(({ id }: any) => id)).toEqual(["2"]);
    const made = await hub(instance, "POST", "/hubs/crm/contacts", { properties: { email: "a" } });
    expect(made.body).toMatchObject({ id: "999" });
    expect((await hub(instance, "GET", "/hubs/crm/contacts/77")).status).toBe(404);
  });
});

describe("quickbooks", () => {
  const realm = { realmId: "310687" };

  it("QB-5: one request tells of all entities, deleted ones too; what /cdc leaves out is asked one by one", async () => {
    const quickbooks = quickbooksEmulator();
    emulate(quickbooks.answer);
    const { id } = await connect("quickbooks", {}, realm);
    const at = Date.now() - HOUR;
    quickbooks.put("Customer", "63", at);
    quickbooks.put("Invoice", "7", at, at - HOUR);
    quickbooks.put("TaxCode", "5", at);
    quickbooks.remove("Estimate", "1", at);
    quickbooks.remove("Bill", "34", at);
    const { status, body } = await on.poll(id);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(sorted(await told(id))).toEqual([
      ["CREATED", "customers", "63"],
      ["CREATED", "tax-codes", "5"],
      ["DELETED", "bills", "34"],
      ["UPDATED", "invoices", "7"],
    ]);
    expect(quickbooks.calls.filter((call) => call === "cdc")).toHaveLength(1);
    expect(quickbooks.calls.filter((call) => call === "query")).toHaveLength(3);
    await on.poll(id);
    expect(await told(id)).toHaveLength(4);
  });

  it("QB-4: given a full answer from /cdc, then split by entity, then query; nothing skipped", async () => {
    const quickbooks = quickbooksEmulator({ cap: 100 });
    emulate(quickbooks.answer);
    const at = Date.now() - HOUR;
    for (let index = 1; index <= 250; index += 1)
      quickbooks.put("Invoice", String(index), at + index * 1000);
    for (let index = 1; index <= 40; index += 1) quickbooks.put("Customer", String(index), at);
    // The cap of this emulator is lower than what the connector takes for full.
    const { id } = await connect("quickbooks", { "event.objects": "invoices,customers" }, realm);
    const feed = feeds.quickbooks as { most: number };
    feed.most = 100;
    onTestFinished(() => void (feed.most = 1_000));
    const { body } = await on.poll(id);
    expect(body.resources.map((one: any) => [one.objectType, one.created])).toEqual([
      ["customers", 40],
      ["invoices", 250],
    ]);
  });

  it("QB-6: given a cursor 31 days old, then resync by query", async () => {
    const quickbooks = quickbooksEmulator();
    emulate(quickbooks.answer);
    const since = new Date(Date.now() - 31 * 86_400_000).toISOString();
    const { id } = await connect(
      "quickbooks",
      { "event.objects": "invoices,customers", "event.poller.since": since },
      realm,
    );
    quickbooks.put("Invoice", "1", Date.now() - 30 * 86_400_000);
    expect((await on.poll(id)).status).toBe(200);
    expect(await told(id)).toEqual([["CREATED", "invoices", "1"]]);
    expect(quickbooks.calls).not.toContain("cdc");
  });

  it("fails cleanly on 200 with an error body, and the cursor stays", async () => {
    const quickbooks = quickbooksEmulator();
    emulate(quickbooks.answer);
    const { id } = await connect("quickbooks", { "event.objects": "invoices" }, realm);
    emulate(({ path }) => {
      if (path.endsWith("/cdc")) return { status: 200, body: { Fault: { Error: [] } } };
      return { status: 200, body: "<html>Sorry</html>" };
    });
    expect((await on.poll(id)).status).toBe(502);
    emulate(quickbooks.answer);
    quickbooks.put("Invoice", "1", Date.now());
    expect((await on.poll(id)).status).toBe(200);
    expect(await told(id)).toHaveLength(1);
  });

  it("sends the SyncToken that a record has with changes and deletions", async () => {
    const quickbooks = quickbooksEmulator();
    quickbooks.put("Invoice", "7", Date.now());
    emulate(quickbooks.answer);
    const instance = await connect("quickbooks", {}, realm);
    const changed = await hub(instance, "PATCH", "/hubs/finance/invoices/7", { PrivateNote: "x" });
    expect(changed.body).toMatchObject({ Id: "7", PrivateNote: "x" });
    const deleted = await hub(instance, "DELETE", "/hubs/finance/invoices/7");
    expect(deleted.body).toMatchObject({ status: "Deleted" });
    const list = await hub(instance, "GET", "/hubs/finance/invoices");
    expect(list.body.map(({ Id }: any) => Id)).toEqual(["7"]);
  });
});

describe("github, the seventh vendor", () => {
  it("is polled over link headers by one file of data", async () => {
    const at = Date.now() - HOUR;
    const seconds = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
    const issue = (number: number, updated: number) => ({
      number,
      created_at: seconds(at),
      updated_at: seconds(updated),
    });
    const issues = [issue(1, at), issue(2, at + 60_000), issue(3, at)];
    emulate(({ path, query, headers }) => {
      if (headers["authorization"] !== "Bearer t" || headers["user-agent"] === undefined)
        return { status: 401, body: { message: "Bad credentials" } };
      if (path !== "/repos/acme/shop/issues")
        return { status: 404, body: { message: "Not Found" } };
      expect(query.get("state")).toBe("all");
      const page = Number(query.get("page") ?? 1);
      const next = new URL(`${VENDOR}${path}?${query.toString()}`);
      next.searchParams.set("page", String(page + 1));
      return {
        status: 200,
        body: issues.slice((page - 1) * 2, page * 2),
        headers: page === 1 ? { link: `<${next.href}>; rel="next"` } : {},
      };
    });
    const { id } = await on.instance("github", {
      "github.token": "t",
      "github.owner": "acme",
      "github.repository": "shop",
      "base.url": VENDOR,
      "event.vendor.type": "polling",
      "event.poller.since": new Date(SINCE).toISOString(),
    });
    const { status, body } = await on.poll(id);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(await told(id)).toEqual([
      ["CREATED", "issues", "1"],
      ["UPDATED", "issues", "2"],
      ["CREATED", "issues", "3"],
    ]);
  });
});
