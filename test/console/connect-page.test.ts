import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import type { Connector } from "../../src/connectors/definition";
import { askedOf, offerOf } from "../../src/console/connect-page/offer";
import { formTokenIn } from "../accounts/things";
import { eventually, receiver } from "../delivery/build";
import { call, draft } from "../elements/build";
import { described as ownConnector } from "../inbound/described";
import { type Browser, openBrowser, type Shown, signIn } from "./build";
import { operator } from "./portal";

let mine: Awaited<ReturnType<typeof operator>>;
beforeAll(async () => {
  mine = await operator();
  await mine.done("PUT", "/oauth-apps/box", { key: "client", secret: "client-secret" });
});
afterEach(() => vi.unstubAllGlobals());

const EVIL = `"><script>alert(1)</script>`;
const SANDBOX = "/connect/to/sandbox";
const BOX = "/connect/to/box";

const link = async (tenant: string, asked: object = {}): Promise<string> =>
  new URL((await mine.done("POST", `/tenants/${tenant}/connect-sessions`, asked)).url).pathname;

/** Goes where a link leads; the page that is shown in the end. */
async function arrive(
  path: string,
  browser: Browser = openBrowser(),
): Promise<{ browser: Browser; html: string; at: string }> {
  for (let at = path; ;) {
    const { status, html, location } = await browser.get(at);
    if (location === null) {
      expect(status).toBe(200);
      return { browser, html, at };
    }
    at = location;
  }
}

async function send(
  { browser, html }: { browser: Browser; html: string },
  path: string,
  fields: Record<string, string> = {},
): Promise<Shown> {
  return browser.post(path, { formToken: formTokenIn(html), ...fields });
}

const instancesOf = async (tenant: string): Promise<any[]> => {
  const path = `/instances?tags%5B%5D=${encodeURIComponent(`tenant:${tenant}`)}`;
  const { status, body } = await call("GET", path, undefined, mine.own.authorization);
  return status === 404 ? [] : body;
};
const toldTo = async (tenant: string): Promise<any[]> =>
  (await mine.done("GET", `/streams/tenant:${tenant}/events`)).items;

/** A vendor that knows one key, and gives a grant for any code. */
const vendor = () =>
  receiver(({ url, headers }) => {
    if (url.includes("/oauth2/token"))
      return Response.json({ access_token: "a", refresh_token: "r", expires_in: 3600 });
    return headers.get("authorization") === "Bearer wrong"
      ? Response.json({ message: EVIL }, { status: 401 })
      : Response.json({ id: "1", entries: [], data: [] });
  });

describe("a link to connect an account", () => {
  it("opens once, and only for whoever gets its page", async () => {
    const tenant = await mine.tenant();
    const path = await link(tenant);
    const first = await arrive(path);
    expect(first.html).toContain("Choose where the account is.");
    const second = openBrowser();
    expect((await second.get(path)).status).toBe(401);
    expect([...second.cookies]).toEqual([]);
    for (const made of ["/connect/open/nobody", "/connect/continue/nobody", "/connect"])
      expect((await openBrowser().get(made)).status).toBe(401);
    await env.DB.prepare("UPDATE connect_sessions SET expires_at = 1 WHERE tenant_id = ?")
      .bind(tenant)
      .run();
    const over = await first.browser.get("/connect");
    expect(over.status).toBe(401);
    expect(over.html).toContain("This page is closed");
  });

  it("is framed by the origin that it is for alone, and keeps its cookie to it", async () => {
    const origin = "https://app.example";
    const browser = openBrowser();
    const opened = await browser.get(await link(await mine.tenant(), { origin }));
    expect(opened.headers.getSetCookie()[0]).toMatch(
      /^__Host-tributary_connect=.*; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=None; Partitioned$/,
    );
    const { headers } = await browser.get("/connect");
    expect(headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; .*frame-ancestors https:\/\/app\.example$/,
    );
    const alone = await arrive(await link(await mine.tenant()));
    expect((await alone.browser.get("/connect")).headers.get("content-security-policy")).toContain(
      "frame-ancestors 'none'",
    );
  });

  it("closes with its tenant, and says that it is switched off", async () => {
    const tenant = await mine.tenant();
    const { browser } = await arrive(await link(tenant));
    await mine.done("PATCH", `/tenants/${tenant}`, { disabled: true });
    const off = await browser.get("/connect");
    expect(off.status).toBe(409);
    expect(off.html).toContain("has switched this account off");
    await mine.done("DELETE", `/tenants/${tenant}`);
    expect((await browser.get("/connect")).status).toBe(401);
  });

  it("is refused with all that is wrong with what it asks for", async () => {
    const tenant = await mine.tenant();
    const at = `/tenants/${tenant}/connect-sessions`;
    const refused = async (asked: object) => {
      const { status, body } = await mine.call("POST", at, asked);
      expect(status).toBe(400);
      const { field, faults = [{ field }] } = body.error;
      return faults.map((fault: { field: string }) => fault.field);
    };
    for (const returnTo of [
      "http://app.example/",
      "javascript:alert(1)",
      "https://u:p@app.example/",
      "//app.example",
      "https://",
    ])
      expect(await refused({ returnTo })).toEqual(["returnTo"]);
    for (const origin of ["https://app.example/", "*", "http://app.example", "https://a b"])
      expect(await refused({ origin })).toEqual(["origin"]);
    expect(
      await refused({
        connectors: ["nothing", "sandbox", "concur"],
        name: "",
        configuration: { "event.vendor.typ": "polling", "event.poller.refresh_interval": "soon" },
      }),
    ).toEqual([
      "name",
      "connectors.0",
      "connectors.2",
      "configuration.event.poller.refresh_interval",
      "configuration.event.vendor.typ",
    ]);
    expect(await refused({ instanceId: 999_999, name: "x", connectors: ["box"] })).toEqual([
      "instanceId",
      "connectors",
      "name",
    ]);
    expect((await mine.call("POST", "/tenants/nobody/connect-sessions", {})).status).toBe(404);
  });

  it("is made in the console, too, and shown once", async () => {
    const tenant = await mine.tenant(EVIL);
    const console = await signIn(mine.own.email, mine.own.password);
    const page = `/console/tenants/${tenant}`;
    expect((await console.get(page)).html).toContain('<option value="box">Box</option>');
    const fields = { organization: String(mine.own.id), connector: "sandbox" };
    const { html } = await console.post(`${page}/connect-sessions`, fields);
    const [, path = ""] = /https:\/\/tributary\.example(\/connect\/open\/[\w-]+)/.exec(html) ?? [];
    expect((await arrive(path)).at).toBe(SANDBOX);
    expect((await console.get(page)).html).not.toContain("/connect/open/");
  });
});

describe("what somebody is asked for", () => {
  const connector = (key: string): Connector => findConnector(key) as Connector;
  it.each<[string, Record<string, string>, boolean, string[], string[]]>([
    ["sandbox", {}, false, ["apiKey"], ["sandbox.api.key"]],
    ["github", {}, false, ["apiKey"], ["github.token", "github.owner", "github.repository"]],
    [
      "github",
      { "github.owner": "acme" },
      false,
      ["apiKey"],
      ["github.token", "github.repository"],
    ],
    ["box", {}, true, ["oauth2"], []],
    ["hubspot", {}, true, ["oauth2", "apiKey"], []],
    ["hubspot", {}, false, ["apiKey"], ["hubspot.authorization.apikey", "hubspot.portal.id"]],
    ["hubspot", { "authentication.type": "oauth2" }, true, ["oauth2"], []],
    ["sfdc", { "oauth.api.key": "k", "oauth.api.secret": "s" }, false, ["oauth2"], []],
  ])("of %s with %o, application: %s", (key, settings, hasApp, ways, asked) => {
    const offer = offerOf(connector(key), settings, hasApp);
    expect(offer?.ways).toEqual(ways);
    const keys = askedOf(connector(key), offer?.ways[0] ?? "oauth2", { settings, isAgain: false });
    expect(keys.map((entry) => entry.key)).toEqual(asked);
  });

  it("is nothing of what can only be connected with an application that isn't there", () => {
    expect(offerOf(connector("box"), {}, false)).toBeUndefined();
    expect(
      offerOf(connector("hubspot"), { "authentication.type": "oauth2" }, false),
    ).toBeUndefined();
  });

  it("is only the proof, of what is connected again", () => {
    const asked = askedOf(connector("github"), "apiKey", { settings: {}, isAgain: true });
    expect(asked.map(({ key }) => key)).toEqual(["github.token"]);
  });
});

describe("connecting by a key", () => {
  const asked = {
    connectors: ["Sandbox"],
    returnTo: "https://app.example/back?x=1",
    state: "s&t",
    name: "CRM of Ada",
    configuration: { "event.objects": "accounts", "event.poller.refresh_interval": 7 },
  };

  it("makes one instance of the tenant, tells that, and leads back", async () => {
    const tenant = await mine.tenant();
    const { url } = await mine.endpoint({ tenant, eventTypes: ["instance.*"] });
    const got = vendor();
    const visit = await arrive(await link(tenant, asked));
    expect(visit.at).toBe(SANDBOX);
    expect(visit.html).toContain(
      "https://app.example/back?x=1&amp;error=cancelled&amp;state=s%26t",
    );
    const fields = {
      "c.sandbox.api.key": "right",
      "c.base.url": "https://evil.example",
      "c.event.notification.callback.url": "https://evil.example",
      tags: "tenant:another",
    };
    const sent = await send(visit, SANDBOX, fields);
    expect({ status: sent.status, to: sent.location }).toEqual({ status: 303, to: "/connect" });
    const [instance, ...others] = await instancesOf(tenant);
    expect(others).toEqual([]);
    expect(instance).toMatchObject({
      name: "CRM of Ada",
      tags: [`tenant:${tenant}`],
      valid: true,
      eventsEnabled: true,
      configuration: { "event.objects": "accounts", "event.poller.refresh_interval": "7" },
    });
    expect(JSON.stringify(instance)).not.toContain("evil");
    const done = await arrive("/connect", visit.browser);
    const back = `https://app.example/back?x=1&amp;instanceId=${instance.id}&amp;state=s%26t`;
    expect(done.html).toContain(`<a class="button main" href="${back}"`);
    expect(done.html).toContain(`<noscript><meta http-equiv="refresh" content="0; url=${back}"/>`);
    const told = await eventually(() => got.find((one) => one.url === url));
    expect(JSON.parse(told.body)).toMatchObject({
      type: "instance.connected",
      tenant,
      data: {
        instanceId: instance.id,
        connector: "sandbox",
        name: "CRM of Ada",
        reconnected: false,
      },
    });
    const { items } = await mine.done("GET", `/audit?actor=connect:${tenant}`);
    expect(items).toMatchObject([{ action: "instance.connect", target: String(instance.id) }]);
    // It does nothing more.
    expect((await visit.browser.get(SANDBOX)).location).toBe("/connect");
    expect((await send(visit, SANDBOX, fields)).location).toBe("/connect");
    expect(await instancesOf(tenant)).toHaveLength(1);
    expect(await toldTo(tenant)).toHaveLength(1);
  });

  it("says what its vendor says to a wrong one, and shows it to nobody", async () => {
    const tenant = await mine.tenant(EVIL);
    vendor();
    const visit = await arrive(await link(tenant, asked));
    const empty = await send(visit, SANDBOX);
    expect(empty.status).toBe(422);
    expect(empty.html).toContain("Expected a value");
    const wrong = await send(visit, SANDBOX, { "c.sandbox.api.key": "wrong" });
    expect(wrong.status).toBe(422);
    expect(wrong.html).toContain("answered with status 401: &quot;&gt;&lt;script&gt;");
    for (const html of [visit.html, empty.html, wrong.html]) {
      expect(html).not.toContain("<script>alert");
      expect(html).not.toContain('value="wrong"');
    }
    expect(await instancesOf(tenant)).toEqual([]);
    expect(await toldTo(tenant)).toEqual([]);
  });

  it("makes one instance though it is sent twice at once", async () => {
    const tenant = await mine.tenant();
    vendor();
    const visit = await arrive(await link(tenant, asked));
    const fields = { "c.sandbox.api.key": "right" };
    const both = [send(visit, SANDBOX, fields), send(visit, SANDBOX, fields)];
    for (const { location } of await Promise.all(both)) expect(location).toBe("/connect");
    expect(await instancesOf(tenant)).toHaveLength(1);
    expect(await toldTo(tenant)).toHaveLength(1);
  });

  it("tells what a crash left untold when somebody comes back", async () => {
    const tenant = await mine.tenant();
    vendor();
    const visit = await arrive(await link(tenant, asked));
    const made = draft({}, { tags: [`tenant:${tenant}`] });
    const { body } = await call("POST", "/instances", made, mine.own.authorization);
    await env.DB.prepare("UPDATE connect_sessions SET instance_id = ? WHERE tenant_id = ?")
      .bind(body.id, tenant)
      .run();
    expect((await arrive("/connect", visit.browser)).html).toContain("<h1>Connected</h1>");
    expect(await toldTo(tenant)).toMatchObject([{ objectId: String(body.id) }]);
    expect((await send(visit, SANDBOX, { "c.sandbox.api.key": "right" })).location).toBe(
      "/connect",
    );
    expect(await instancesOf(tenant)).toHaveLength(1);
  });

  it("offers an organization's own connectors, whatever they are called", async () => {
    const key = `own-${crypto.randomUUID().slice(0, 8)}`;
    await call("POST", "/elements", { ...ownConnector(key), name: EVIL }, mine.own.authorization);
    const tenant = await mine.tenant();
    const visit = await arrive(await link(tenant, { connectors: [key, "sandbox"] }));
    expect(visit.html).toContain(`href="/connect/to/${key}"`);
    expect(visit.html).not.toContain("<script>alert");
    const form = await arrive(`/connect/to/${key}`, visit.browser);
    expect(form.html).not.toContain("<script>alert");
    expect((await visit.browser.get("/connect/to/github")).status).toBe(404);
    const sent = await send(form, `/connect/to/${key}`, { [`c.${key}.token`]: "t" });
    expect(sent.location).toBe("/connect");
    expect((await arrive("/connect", visit.browser)).html).not.toContain("<script>alert");
    expect(await instancesOf(tenant)).toHaveLength(1);
  });
});

describe("connecting by consent", () => {
  const asked = { connectors: ["box"], origin: "https://app.example", state: EVIL };

  async function begun(tenant: string, terms: object = asked) {
    const visit = await arrive(await link(tenant, terms));
    expect(visit.at).toBe(BOX);
    const sent = await send(visit, `${BOX}/consent`, { way: "oauth2" });
    expect(sent.status).toBe(200);
    return { ...visit, state: stateIn(sent.html) };
  }

  function stateIn(html: string): string {
    const url = /href="(https:\/\/account\.box\.com\/[^"]*)"/.exec(html)?.[1] ?? "";
    const { searchParams } = new URL(url.replaceAll("&amp;", "&"));
    expect(searchParams.get("redirect_uri")).toBe("https://tributary.example/console/connected");
    expect(searchParams.get("client_id")).toBe("client");
    return searchParams.get("state") ?? "";
  }

  it("makes the instance when its code is back, and tells the page that opened it", async () => {
    const tenant = await mine.tenant();
    const got = vendor();
    const { browser, state } = await begun(tenant);
    expect(await instancesOf(tenant)).toEqual([]);
    const landing = await openBrowser().get(`/console/connected?code=c&state=${state}`);
    expect(landing.html).toContain('action="/connect/connected"');
    const back = await browser.post("/connect/connected", { code: "the-code", state });
    expect(back.location).toBe("/connect");
    const exchange = new URLSearchParams(
      got.find(({ url }) => url.includes("/oauth2/token"))?.body,
    );
    expect(exchange.get("code")).toBe("the-code");
    const [instance] = await instancesOf(tenant);
    expect(instance).toMatchObject({ valid: true, eventsEnabled: true });
    const { html } = await arrive("/connect", browser);
    expect(html).toContain('data-origin="https://app.example"');
    expect(html).toContain(`&quot;instanceId&quot;:${instance.id}`);
    expect(html).not.toContain("<script>alert");
    expect(await toldTo(tenant)).toHaveLength(1);
    expect((await browser.post("/connect/connected", { code: "x", state })).location).toBe(
      "/connect",
    );
    expect(await instancesOf(tenant)).toHaveLength(1);
  });

  it("is refused with a state that is not of this session", async () => {
    const tenant = await mine.tenant();
    vendor();
    const [{ browser }, other] = [await begun(tenant), await begun(await mine.tenant())];
    for (const state of ["", "connect-x", other.state]) {
      const answer = await browser.post("/connect/connected", { code: "another's", state });
      expect({ state, status: answer.status }).toEqual({ state, status: 403 });
    }
    expect(await instancesOf(tenant)).toEqual([]);
  });

  it("can be begun anew when the vendor gave none", async () => {
    const tenant = await mine.tenant();
    vendor();
    const { browser, state } = await begun(tenant);
    const refused = { state, error: "access_denied", error_description: EVIL };
    const back = await browser.post("/connect/connected", refused);
    expect(back.location).toBe(BOX);
    const { html } = await arrive(BOX, browser);
    expect(html).toContain("Box gave no consent: &quot;&gt;&lt;script&gt;");
    expect(html).not.toContain("<script>alert");
    expect(html).toContain("Sign in at Box");
    expect(await instancesOf(tenant)).toEqual([]);
  });

  it("is given in a window of its own where the page is framed", async () => {
    const tenant = await mine.tenant();
    vendor();
    const visit = await arrive(await link(tenant, asked));
    const formToken = formTokenIn(visit.html);
    const framed = { origin: "https://tributary.example", "sec-fetch-dest": "iframe" };
    const sent = await visit.browser.post(`${BOX}/consent`, { formToken, way: "oauth2" }, framed);
    expect(sent.location).toBe("/connect/waiting");
    const { html } = await visit.browser.get("/connect/waiting");
    const [, ticket = ""] = /href="(\/connect\/continue\/[^"]+)" target="_blank"/.exec(html) ?? [];
    const window = openBrowser();
    const off = await window.get(ticket.replaceAll("&amp;", "&"));
    expect(off.location).toMatch(/^https:\/\/account\.box\.com\//);
    const state = new URL(off.location ?? "").searchParams.get("state") ?? "";
    expect((await window.post("/connect/connected", { code: "c", state })).location).toBe(
      "/connect",
    );
    expect((await visit.browser.get("/connect/waiting")).location).toBe("/connect");
    expect((await arrive("/connect", visit.browser)).html).toContain("<h1>Connected</h1>");
    const late = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 61_000);
    expect((await openBrowser().get(ticket)).status).toBe(401);
    late.mockRestore();
  });

  it("takes forms of its own pages alone", async () => {
    const visit = await arrive(await link(await mine.tenant(), asked));
    for (const path of [BOX, `${BOX}/consent`]) {
      expect((await visit.browser.post(path, { way: "oauth2" })).status).toBe(403);
      const token = { formToken: formTokenIn(visit.html) };
      const foreign = await visit.browser.post(path, token, { origin: "https://evil.example" });
      expect(foreign.status).toBe(403);
    }
    expect((await send(visit, BOX, { way: "oauth2" })).status).toBe(409);
  });
});

describe("connecting again", () => {
  const made = async (tenant: string, draft: object) => {
    const members = { tags: [`tenant:${tenant}`], name: EVIL, ...draft };
    return (await call("POST", "/instances", members, mine.own.authorization)).body;
  };

  it("changes the key of the one instance, and nothing else of it", async () => {
    const tenant = await mine.tenant();
    vendor();
    const { id } = await made(
      tenant,
      draft({ "event.objects": "deals" }, { tags: [`tenant:${tenant}`] }),
    );
    const asked = { instanceId: String(id), origin: "https://app.example" };
    const visit = await arrive(await link(tenant, asked));
    expect(visit.at).toBe(SANDBOX);
    expect(visit.html).not.toContain("<script>alert");
    expect((await visit.browser.get(BOX)).status).toBe(404);
    const before = (await instancesOf(tenant))[0];
    const sent = await send(visit, SANDBOX, { "c.sandbox.api.key": "new" });
    expect(sent.location).toBe("/connect");
    const { updatedDate: _, ...same } = before;
    expect(await instancesOf(tenant)).toMatchObject([same]);
    const got = vendor();
    await mine.call("POST", `/instances/${id}/poll`);
    expect(got.some(({ headers }) => headers.get("authorization") === "Bearer new")).toBe(true);
    expect(await toldTo(tenant)).toMatchObject([{ objectId: String(id) }]);
  });

  it("makes an instance valid whose grant is gone", async () => {
    const tenant = await mine.tenant();
    vendor();
    const { id } = await made(tenant, { element: { key: "box" } });
    const read = async () => (await mine.done("GET", `/instances/${id}`)).valid;
    expect(await read()).toBe(false);
    const visit = await arrive(await link(tenant, { instanceId: id }));
    const sent = await send(visit, `${BOX}/consent`, { way: "oauth2" });
    const state = /state=(connect-[\w-]+)/.exec(sent.html)?.[1] ?? "";
    expect((await visit.browser.post("/connect/connected", { code: "c", state })).location).toBe(
      "/connect",
    );
    expect(await read()).toBe(true);
    expect(await instancesOf(tenant)).toHaveLength(1);
  });

  it("is for instances of the tenant alone, as long as they are its", async () => {
    const [a, b] = [await mine.tenant(), await mine.tenant()];
    const { id } = await made(a, draft({}, { tags: [`tenant:${a}`] }));
    const refused = await mine.call("POST", `/tenants/${b}/connect-sessions`, { instanceId: id });
    expect(refused.body.error.field).toBe("instanceId");
    const visit = await arrive(await link(a, { instanceId: id }));
    const moved = { tags: [`tenant:${b}`] };
    await call("PATCH", `/instances/${id}`, moved, mine.own.authorization);
    const sent = await send(visit, SANDBOX, { "c.sandbox.api.key": "new" });
    expect(sent.status).toBe(409);
    expect(sent.html).toContain("is gone");
  });
});
