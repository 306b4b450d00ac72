import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { receiver } from "../delivery/build";
import { call, callV1, create } from "../elements/build";
import { described as ownConnector } from "../inbound/described";
import { type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, signIn } from "./build";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});
afterEach(() => vi.unstubAllGlobals());

const EVIL = `"><script>alert(1)</script>`;
const CALLBACK = "https://app.example/console-hook";
const read = async (id: string | number) =>
  (await call("GET", `/instances/${id}`, undefined, own.authorization)).body;
const idIn = (location: string | null): string => /\d+$/.exec(location ?? "")?.[0] ?? "";

/** What a browser would send of the form that it was shown, changed in some fields; a list sends its field for each. */
async function filled(
  path: string,
  html: string,
  change: Record<string, string | string[]>,
): Promise<Awaited<ReturnType<Browser["post"]>>> {
  const fields = new URLSearchParams();
  const unescaped = (text = "") =>
    text
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&");
  const form = html.slice(html.indexOf('<form class="instance'));
  for (const [, attributes = "", text] of form.matchAll(
    /<(?:input|textarea)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*\/?>(?:([^<]*)<\/textarea>)?/g,
  )) {
    const of = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1];
    const isOff = /type="(checkbox|radio)"/.test(attributes) && !/\schecked/.test(attributes);
    const name = unescaped(of("name"));
    if (name !== "" && !isOff) fields.append(name, unescaped(text ?? of("value")));
  }
  for (const [name, value] of Object.entries(change)) {
    fields.delete(name);
    for (const one of [value].flat()) fields.append(name, one);
  }
  return browser.send(path, fields);
}

describe("connecting an account", () => {
  it("offers every connector, the organization's own too, and how each is connected", async () => {
    const key = `own-${crypto.randomUUID().slice(0, 8)}`;
    await call("POST", "/elements", { ...ownConnector(key), name: EVIL }, own.authorization);
    const { html } = await browser.get("/console/connect");
    for (const name of ["Box", "Concur", "Dropbox", "GitHub", "HubSpot", "Sandbox CRM"])
      expect(html).toContain(`>${name}</a>`);
    expect(html).toContain(`href="/console/connect/${key}"`);
    expect(html).not.toContain("<script>alert");
    const form = (await browser.get(`/console/connect/${key}`)).html;
    expect(form).toContain("&lt;script&gt;alert(1)");
    expect(form).not.toContain("<script>alert");
    expect((await browser.get("/console/connect/box")).html).toContain(
      "https://tributary.example/console/connected",
    );
    expect((await browser.get("/console/connect/nothing")).status).toBe(404);
  });

  it("makes an instance as the API does, and leads to its page", async () => {
    const page = "/console/connect/sandbox";
    const made = await filled(page, (await browser.get(page)).html, {
      name: "CRM of Ada",
      tags: "one, two",
      "c.sandbox.api.key": "a-secret",
      "c.event.notification.callback.url": CALLBACK,
      poll: ["accounts"],
    });
    expect(made.status).toBe(303);
    const instance = await read(idIn(made.location));
    expect(instance).toMatchObject({
      name: "CRM of Ada",
      tags: ["one", "two"],
      valid: true,
      eventsEnabled: true,
      eventsNotificationCallbackUrl: CALLBACK,
    });
    expect(instance.configuration).toMatchObject({ "event.vendor.type": "polling" });
    const polled = JSON.parse(instance.configuration["event.poller.configuration"]);
    expect(Object.keys(polled)).toEqual(["accounts"]);
    const { items } = (await callV1("GET", "/audit?action=instance.create", own.authorization))
      .body;
    expect(items[0]).toMatchObject({
      target: String(instance.id),
      route: "POST /console/connect/:element",
    });
  });

  it("tells all that is wrong at once, keeps what was typed, and shows no secret again", async () => {
    const page = "/console/connect/sandbox";
    const refused = await filled(page, (await browser.get(page)).html, {
      name: "x".repeat(20),
      "c.sandbox.api.key": "a-secret-that-was-typed",
      "c.event.notification.callback.url": "ftp://no",
      "c.event.poller.refresh_interval": EVIL,
      "c.event.notification.rate": "0",
      "r.accounts.url": "/hubs/crm/${date",
      "r.deals.updatedDateFormat": "qqq",
      "json.contacts": "{no json",
      other: "[]",
    });
    expect(refused.status).toBe(422);
    for (const text of [
      "Expected a whole number from 1 to 44640",
      "Expected a number above 0",
      "has no closing brace",
      "Expected a JSON object",
      "Expected a JSON object of settings",
      "datesConfiguration.updatedDateFormat",
      "7 things are to be put right",
      `value="${"x".repeat(20)}"`,
    ])
      expect(refused.html).toContain(text);
    expect(refused.html).not.toContain("a-secret-that-was-typed");
    expect(refused.html).not.toContain("<script>alert");
    const again = await filled(page, refused.html, {
      "c.event.notification.callback.url": CALLBACK,
      "c.event.poller.refresh_interval": "5",
      "c.event.notification.rate": "",
      "r.accounts.url": "/hubs/crm/accounts",
      "r.deals.updatedDateFormat": "seconds",
      "json.contacts": '{"url":"/hubs/crm/contacts","idField":"id"}',
      other: '{"event.vendor.typ":"x"}',
    });
    expect(again.status).toBe(303);
    const { valid, configuration } = await read(idIn(again.location));
    expect(valid).toBe(true);
    expect(JSON.parse(configuration["event.poller.configuration"])).toMatchObject({
      accounts: { url: "/hubs/crm/accounts" },
      contacts: { url: "/hubs/crm/contacts", idField: "id" },
      deals: { datesConfiguration: { updatedDateFormat: "seconds" } },
    });
    expect((await browser.get(again.location ?? "")).html).toContain(
      "did you mean &#39;event.vendor.type&#39;?",
    );
  });

  it("previews what the next poll asks and finds, and stores nothing", async () => {
    const asked: string[] = [];
    receiver((request) => {
      asked.push(request.url);
      const record = { id: "7", name: EVIL, createdDate: soon(), updatedDate: soon() };
      return Response.json({ data: request.url.includes("/accounts") ? [record] : [] });
    });
    const page = "/console/connect/sandbox";
    const before = await env.DB.prepare("SELECT count(*) AS n FROM instances").first();
    const { html } = await browser.get(page);
    const shown = await filled(`${page}/test`, html, {
      do: "preview",
      "c.sandbox.api.key": "a-secret",
      poll: ["accounts"],
    });
    expect(shown.status).toBe(200);
    expect(shown.html).toMatch(/Asks: <code>\/hubs\/crm\/accounts\?where=updatedDate&gt;=&#39;20/);
    expect(shown.html).toContain("It would find 1 event:");
    expect(shown.html).toContain("CREATED 7");
    expect(shown.html).not.toContain("<script>alert");
    expect(asked).toHaveLength(1);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM instances").first()).toEqual(before);
  });

  it("makes a signature key, which goes with the form", async () => {
    const page = "/console/connect/sandbox";
    const { html } = await filled(`${page}/test`, (await browser.get(page)).html, {
      do: "generate",
      "c.sandbox.api.key": "a-secret",
    });
    const key = /name="c\.event\.notification\.signature\.key"[^>]*value="([\w-]{43})"/.exec(html);
    expect(key).not.toBeNull();
    const made = await filled(page, html, {});
    const row = await env.DB.prepare("SELECT secrets FROM instances WHERE id = ?")
      .bind(Number(idIn(made.location)))
      .first<{ secrets: string }>();
    expect(row?.secrets).toContain("event.notification.signature.key");
    expect((await read(idIn(made.location))).valid).toBe(true);
  });
});

const soon = (): string => new Date(Date.now() - 60_000).toISOString();

describe("consent", () => {
  async function begun(): Promise<{ id: string; state: string }> {
    const page = "/console/connect/box";
    const sent = await filled(page, (await browser.get(page)).html, {
      "c.oauth.api.key": "client",
      "c.oauth.api.secret": "client-secret",
    });
    expect(sent.status).toBe(200);
    const link = /href="(https:\/\/account\.box\.com\/[^"]*)"/.exec(sent.html)?.[1] ?? "";
    const url = new URL(link.replaceAll("&amp;", "&"));
    expect(url.searchParams.get("redirect_uri")).toBe(
      "https://tributary.example/console/connected",
    );
    const state = url.searchParams.get("state") ?? "";
    return { id: state.split(".")[0] ?? "", state };
  }

  it("goes to the vendor and back, and what came back makes the instance valid", async () => {
    const { id, state } = await begun();
    expect((await read(id)).valid).toBe(false);
    const back = `/console/connected?code=the-code&state=${encodeURIComponent(state)}&other=x`;
    const landing = (await browser.get(back, { cookie: "" })).html;
    expect(landing).toContain('name="code" value="the-code"');
    let form = "";
    receiver(({ body }) => {
      form = body;
      return Response.json({ access_token: "a", refresh_token: "r", expires_in: 3600 });
    });
    const done = await browser.post("/console/connected", { code: "the-code", state });
    expect(done.location).toBe(`/console/instances/${id}`);
    expect(new URLSearchParams(form).get("code")).toBe("the-code");
    expect((await read(id)).valid).toBe(true);
    const { items } = (await callV1("GET", "/audit?action=instance.update", own.authorization))
      .body;
    expect(items[0]).toMatchObject({ target: id, route: "POST /console/connected" });
  });

  it.each<[string, (state: string) => string]>([
    ["made up", () => "1.99999999999999.x"],
    ["of another instance", (state) => state.replace(/^\d+/, "1")],
    ["with another end", (state) => state.replace(/\.\d+\./, ".99999999999999.")],
    ["absent", () => ""],
  ])("is refused with a state that is %s", async (_, forged) => {
    const { id, state } = await begun();
    const fields = { code: "another's", state: forged(state) };
    expect((await browser.post("/console/connected", fields)).status).toBe(403);
    expect((await read(id)).valid).toBe(false);
  });

  it("is refused in another session, so that nobody finishes what somebody else began", async () => {
    const { state } = await begun();
    const elsewhere = await signIn(own.email, own.password);
    const fields = { code: "another's", state };
    expect((await elsewhere.post("/console/connected", fields)).status).toBe(403);
  });

  it("that the vendor's page refused leaves the instance to be connected again", async () => {
    const { id, state } = await begun();
    const done = await browser.post("/console/connected", {
      state,
      error: "access_denied",
      error_description: EVIL,
    });
    const { html } = await browser.get(done.location ?? "");
    expect(html).toContain("gave no consent: &quot;&gt;&lt;script&gt;");
    expect(html).toContain("Connect with Box");
    const again = await browser.post(`/console/instances/${id}/reconnect`);
    expect(again.html).toContain("https://account.box.com/api/oauth2/authorize");
  });
});

describe("an instance's form", () => {
  it("changes what was changed, and keeps secrets and all else", async () => {
    const { id } = await create(
      { "event.objects": "deals", "event.notification.signature.key": "k", "a.note": "mine" },
      { name: EVIL },
      own.authorization,
    );
    const page = `/console/instances/${id}/edit`;
    const { html } = await browser.get(page);
    expect(html).not.toContain("<script>alert");
    expect(html).not.toContain("vendor-secret");
    const before = await read(id);
    expect((await filled(page, html, {})).status).toBe(303);
    const { updatedDate: _, ...same } = await read(id);
    expect(before).toMatchObject(same);
    await filled(page, html, {
      "c.event.poller.refresh_interval": "7",
      clear: "event.notification.signature.key",
    });
    const { configuration } = await read(id);
    expect(configuration).toMatchObject({
      "sandbox.api.key": "********",
      "event.poller.refresh_interval": "7",
      "event.notification.signature.key": null,
      "event.objects": "deals",
      "a.note": "mine",
    });
  });

  it("is deleted after a page that says what goes", async () => {
    const { id } = await create({}, {}, own.authorization);
    const page = await browser.get(`/console/instances/${id}/delete`);
    expect(page.html).toContain("what has not been");
    expect(page.html).toContain("https://app.example/hook");
    expect((await read(id)).id).toBe(id);
    await browser.post(`/console/instances/${id}/delete`);
    expect((await browser.get(`/console/instances/${id}`)).status).toBe(404);
  });

  it("shows a viewer everything but what changes something", async () => {
    const { id } = await create();
    const viewer = await signIn("vera@mine.example");
    for (const path of ["/console/connect/box", `/console/instances/${id}/edit`]) {
      const { status, html } = await viewer.get(path);
      expect(status).toBe(200);
      expect(html).toContain('<fieldset class="plain" disabled');
      expect((await viewer.post(path)).status).toBe(403);
    }
  });
});
