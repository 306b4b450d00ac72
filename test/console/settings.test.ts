import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { count, writeCounts } from "../../src/metering/counter.io";
import { receiver } from "../delivery/build";
import { callV1, create } from "../elements/build";
import { type Own, memberOf, ownOrganization } from "../organization";
import { type Browser, createAccounts, signIn } from "./build";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});

afterEach(() => vi.unstubAllGlobals());

const DAY = 86_400_000;
const evil = `"><script>alert(1)</script>`;
const CALLBACK = "operationsCallback.url";
const good = { name: "Acme", retentionDays: "14", auditDays: "90", [CALLBACK]: "" };
const save = (fields: Record<string, string>) =>
  browser.post("/console/settings", { organization: String(own.id), ...good, ...fields });
const organization = async () => (await callV1("GET", "/organization", own.authorization)).body;

describe("the organization's settings", () => {
  it("are saved as /v1 would, and told by it", async () => {
    const callback = "http://127.0.0.1:9/alerts?token=a-secret-of-ours";
    const { status, location } = await save({ [CALLBACK]: callback });
    expect({ status, location }).toEqual({ status: 303, location: "/console/settings" });
    expect(await organization()).toMatchObject({ name: "Acme", retentionDays: 14, auditDays: 90 });
    const { html } = await browser.get("/console/settings");
    expect(html).not.toContain("a-secret-of-ours");
    const [, shown = ""] = /name="operationsCallback.url"[^>]* value="([^"]*)"/.exec(html) ?? [];
    expect(shown).toContain("********");
    await save({ [CALLBACK]: shown });
    const row = await env.DB.prepare(
      "SELECT url FROM destinations WHERE organization_id = ? AND kind = 'operations'",
    )
      .bind(own.id)
      .first<{ url: string }>();
    expect(row?.url).toContain("~sealed.");
    await save({});
    expect((await organization()).operationsCallback).toBeNull();
  });

  it("are refused with all that is wrong at once, what was typed kept", async () => {
    const before = await organization();
    const { status, html } = await save({
      name: "",
      retentionDays: "99",
      auditDays: evil,
      [CALLBACK]: "ftp://127.0.0.1/x",
      "portal.logo": "http://app.example/logo.png",
      "portal.accent": "teal",
    });
    expect(status).toBe(400);
    expect(html.match(/aria-invalid="true"/g)).toHaveLength(6);
    for (const text of ["1 to 30", "30 to 3650", 'value="99"', 'value="ftp://127.0.0.1/x"'])
      expect(html).toContain(text);
    expect(html).not.toContain("<script>alert");
    expect(await organization()).toEqual(before);
  });

  it("say how pages for customers look, and no more than is typed otherwise", async () => {
    const accent = "#5B3DF5";
    await save({ "portal.name": "Acme Events", "portal.accent": accent, "portal.scheme": "dark" });
    const portal = { name: "Acme Events", logo: null, accent, scheme: "dark" };
    expect((await organization()).portal).toEqual(portal);
    await save({ "portal.name": "", "portal.scheme": "" });
    expect((await organization()).portal).toEqual({ ...portal, name: null, scheme: null });
    await callV1("PATCH", "/organization", own.authorization, { portal: null });
    expect((await organization()).portal.accent).toBeNull();
  });

  it("are not those of an organization that another tab switched to", async () => {
    expect((await save({ organization: "1" })).status).toBe(409);
  });

  it("are only looked at by others than owners", async () => {
    const email = `vic-${own.id}@settings.example`;
    await env.DB.batch(memberOf(own.id, { email, role: "viewer", password: "password-of-vic" }));
    const { html } = await (await signIn(email, "password-of-vic")).get("/console/settings");
    expect(html).toContain("Owners change it");
    expect(html).not.toContain('action="/console/settings"');
    expect(html).not.toContain("/console/settings/keys");
  });
});

describe("API keys", () => {
  const make = (fields: [string, string][]) =>
    browser.post("/console/settings/keys", [["organization", String(own.id)], ...fields] as never);

  it("are made, shown once, work, and are revoked", async () => {
    const { html } = await make([
      ["name", evil],
      ["scopes", "read"],
      ["scopes", "write"],
      ["days", "30"],
    ]);
    expect(html).not.toContain("<script>alert");
    const [key = ""] = /trk_[\w-]{43}/.exec(html) ?? [];
    expect((await callV1("GET", "/usage", `Bearer ${key}`)).status).toBe(200);
    const list = (await browser.get("/console/settings/keys")).html;
    expect(list).not.toContain(key);
    expect(list).toContain("read, write");
    expect(list).toContain("in 29 d");
    const [, path = ""] =
      /action="(\/console\/settings\/keys\/key_[^"]+\/revoke)"/.exec(list) ?? [];
    await browser.post(path, { organization: String(own.id) });
    expect((await callV1("GET", "/usage", `Bearer ${key}`)).status).toBe(401);
  });

  it.each<[string, [string, string][], string]>([
    ["without a name", [["scopes", "read"]], "name-fault"],
    ["without a scope", [["name", "k"]], "scopes-fault"],
    [
      "of a source that is none",
      [
        ["name", "k"],
        ["scopes", "read"],
        ["sources", "nonsense"],
      ],
      "sources-fault",
    ],
    [
      "that would be over",
      [
        ["name", "k"],
        ["scopes", "read"],
        ["days", "0"],
      ],
      "days-fault",
    ],
    [
      "for days that are no number",
      [
        ["name", "k"],
        ["scopes", "read"],
        ["days", "many"],
      ],
      "days-fault",
    ],
  ])("%s are refused at the field", async (_, fields, id) => {
    const { status, html } = await make(fields);
    expect(status).toBe(400);
    expect(html).toMatch(new RegExp(`class="fault small" id="${id}"`));
  });
});

describe("the operational callback", () => {
  const test = () =>
    browser.post("/console/settings/callback/test", { organization: String(own.id) });

  it("gets a test notice the way of all notices, and the page shows how it answered", async () => {
    expect((await test()).status).toBe(404);
    await save({ [CALLBACK]: "http://127.0.0.1:9/operational-hook" });
    const received = receiver(() => new Response(`thanks ${evil}`));
    const { status, html } = await test();
    expect(status).toBe(200);
    const got = received.find(({ url }) => url.endsWith("/operational-hook"));
    expect(JSON.parse(got?.body ?? "")).toMatchObject({
      type: "test",
      data: { organizationId: own.id },
    });
    expect(html).toContain("thanks &quot;");
    expect(html).not.toContain("<script>alert");
    await save({});
  });
});

describe("usage and cost", () => {
  it("are shown by day and by source, as /v1 tells them", async () => {
    const other = await ownOrganization();
    const theirs = await signIn(other.email, other.password);
    const path = "/console/settings/usage?days=7";
    expect((await theirs.get(path)).html).toContain("Nothing was done in these 7 days");
    const { id } = await create({}, { name: `Books ${evil}` }, other.authorization);
    const source = `instance:${id}`;
    count({ organizationId: other.id, source, destinationId: "" }, { events: 3 }, Date.now());
    await writeCounts(env.DB, Date.now());
    const told = (await callV1("GET", "/usage?by=source", other.authorization)).body;
    const { html } = await theirs.get(path);
    const text = html.replaceAll(/<[^>]*>/g, " ");
    expect(text).toContain("Books &quot;");
    expect(html).not.toContain("<script>alert");
    expect(html.match(/<rect/g)).toHaveLength(14);
    expect(told.items).toMatchObject([{ key: source, events: 3 }]);
  });
});

describe("the audit log", () => {
  it("is filtered by who, what and when, and pages on with that", async () => {
    // As young as no rule of keeping takes them.
    const noon = (daysAgo: number) => Date.now() - (Date.now() % DAY) + (0.5 - daysAgo) * DAY;
    const day = (daysAgo: number) => new Date(noon(daysAgo)).toISOString().slice(0, 10);
    const entries = [
      ["key:nine", "key.create", noon(3)],
      ["key:nine", "key.delete", noon(2)],
      ["key:eight", "key.create", noon(1)],
      ...Array.from({ length: 51 }, (_, n) => ["key:seven", "many.made", noon(9) + n]),
    ];
    await env.DB.batch(
      entries.map(([actor, action, at]) =>
        env.DB.prepare(
          "INSERT INTO audit (organization_id, at, actor, action, target, request_id, changes) VALUES (?, ?, ?, ?, 't', 'r', '[]')",
        ).bind(own.id, at, actor, action),
      ),
    );
    const shown = async (query: string) => {
      const { html } = await browser.get(`/console/audit?${query}`);
      return [...html.matchAll(/class="event">([^<]+)</g)].map(([, action]) => action);
    };
    expect(await shown("actor=key:nine")).toEqual(["key.delete", "key.create"]);
    expect(await shown(`action=key.create&from=${day(3)}&to=${day(1)}`)).toHaveLength(2);
    expect(await shown(`from=${day(2)}&to=${day(2)}`)).toEqual(["key.delete"]);
    expect(await shown(`actor=${encodeURIComponent(evil)}`)).toEqual([]);
    const { html } = await browser.get("/console/audit?actor=key:seven");
    const [, older = ""] = /href="([^"]+before=\d+)"/.exec(html) ?? [];
    expect(older).toContain("actor=key%3Aseven");
    expect(await shown(older.replaceAll("&amp;", "&").split("?")[1] ?? "")).toEqual(["many.made"]);
  });
});
