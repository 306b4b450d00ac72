import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { TABLE } from "../accounts/routes-by-role";
import { eventually, receiver } from "../delivery/build";
import { create } from "../elements/build";
import { commit, event, target } from "../stream/build";
import { openBrowser, signIn } from "./build";
import { enter, operator, type Visitor } from "./portal";

let mine: Awaited<ReturnType<typeof operator>>;
beforeAll(async () => {
  mine = await operator();
});
afterEach(() => vi.unstubAllGlobals());

const evil = `"><script>alert(1)</script>`;

describe("a link to the portal", () => {
  it("opens once, and only for whoever gets its page", async () => {
    const link = await mine.link(await mine.tenant());
    const browser = openBrowser();
    await browser.get(link, { "x-test": "preview" });
    expect((await browser.get("/portal")).status).toBe(200);
    const second = openBrowser();
    expect((await second.get(link)).status).toBe(401);
    expect([...second.cookies]).toEqual([]);
    expect((await openBrowser().get("/portal/open/never-made")).status).toBe(401);
  });

  it("is framed by its own ancestors, there too where its hour is over, and keeps its cookie to them", async () => {
    const tenant = await mine.tenant();
    const frameAncestors = ["https://app.example", "http://localhost:3000"];
    const link = await mine.link(tenant, { frameAncestors });
    const browser = openBrowser();
    const opened = await browser.get(link);
    expect(opened.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(opened.headers.getSetCookie()[0]).toMatch(
      /^__Host-tributary_portal=.*; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=None; Partitioned$/,
    );
    const policy = async () =>
      (await browser.get("/portal")).headers.get("content-security-policy");
    const framed = expect.stringContaining(
      "frame-ancestors https://app.example http://localhost:3000",
    );
    expect(await policy()).toEqual(framed);
    await env.DB.prepare("UPDATE portal_sessions SET expires_at = 1 WHERE tenant_id = ?")
      .bind(tenant)
      .run();
    expect((await browser.get("/portal")).status).toBe(401);
    expect(await policy()).toEqual(framed);
  });

  it("is made for a tenant that there is, with origins that end no policy", async () => {
    const at = `/tenants/${await mine.tenant()}/portal-sessions`;
    const bad = [
      "https://a.example/",
      "https://a.example;",
      "https://a.example *",
      "http://a.example",
      "*",
      "javascript:alert(1)",
      "https://A.example",
    ];
    const { status, body } = await mine.call("POST", at, {
      access: "admin",
      frameAncestors: bad,
    });
    expect(status).toBe(400);
    const fields = body.error.faults.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(["access", ...bad.map((_, index) => `frameAncestors.${index}`)]);
    expect((await mine.call("POST", "/tenants/nobody/portal-sessions", {})).status).toBe(404);
  });

  it("closes with its tenant", async () => {
    const tenant = await mine.tenant();
    const visitor = await enter(await mine.link(tenant));
    await mine.done("DELETE", `/tenants/${tenant}`);
    expect((await visitor.get("/portal")).status).toBe(401);
  });
});

describe("the portal's own look", () => {
  const SVG = `data:image/svg+xml;base64,${btoa("<svg xmlns='http://www.w3.org/2000/svg'/>")}`;
  const set = (portal: object | null) => mine.done("PATCH", "/organization", { portal });
  const seen = async (tenant: string, brand?: object) => {
    const asked = brand === undefined ? {} : { brand };
    const { html, headers } = await (await enter(await mine.link(tenant, asked))).get("/portal");
    return {
      name: /<a class="brand"[^>]*>(?:<img[^>]*>)?([^<]*)</.exec(html)?.[1],
      logo: /<a class="brand"[^>]*><img src="([^"]*)" alt=""/.exec(html)?.[1],
      images: /img-src [^;]*/.exec(headers.get("content-security-policy") ?? "")?.[0],
      accent: [...html.matchAll(/--accent:(#\w+)/g)].at(-2)?.[1],
      scheme: /name="color-scheme" content="([^"]*)"/.exec(html)?.[1],
    };
  };

  it("is the organization's, and where a session says so its own", async () => {
    const tenant = await mine.tenant();
    const { name } = await mine.done("GET", "/organization");
    const plain = { name, logo: undefined, images: undefined, scheme: "light dark" };
    expect(await seen(tenant)).toMatchObject(plain);
    const logo = "https://app.example/logo.png?v=1";
    await set({ name: evil, logo, accent: "#123456", scheme: "dark" });
    expect(await seen(tenant)).toEqual({
      name: "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
      logo,
      images: "img-src https://app.example/logo.png",
      accent: expect.stringMatching(/^#[5-9a-f]/),
      scheme: "dark",
    });
    expect(await seen(tenant, { name: "Box", logo: SVG, scheme: "light" })).toEqual({
      name: "Box",
      logo: SVG,
      images: "img-src data:",
      accent: "#123456",
      scheme: "light",
    });
    expect(await seen(tenant, { name: null, logo: null })).toMatchObject({ name, logo: undefined });
    await set(null);
    expect(await seen(tenant)).toMatchObject(plain);
  });

  it("is refused with all that is wrong with it", async () => {
    const tenant = await mine.tenant();
    const logos = [
      "http://app.example/logo.png",
      "https://user:secret@app.example/logo.png",
      "javascript:alert(1)",
      "data:text/html;base64,AAAA",
      `data:image/png;base64,${"A".repeat(16_384)}`,
      "//app.example/logo.png",
    ];
    for (const logo of logos) {
      const brand = { name: "", logo, accent: "red;}", scheme: "night", font: "Comic Sans" };
      const { status, body } = await mine.call("POST", `/tenants/${tenant}/portal-sessions`, {
        brand,
      });
      expect(status).toBe(400);
      const fields = body.error.faults.map(({ field }: { field: string }) => field);
      expect(new Set(fields)).toEqual(new Set(Object.keys(brand).map((name) => `brand.${name}`)));
    }
  });
});

describe("every route of the portal", () => {
  const lines = Object.keys(TABLE).filter(
    (line) => /^(GET|POST) \/portal/.test(line) && !line.endsWith("/open/:token"),
  );

  it("lets in whom it is for, and nobody else", async () => {
    const [a, b] = [await mine.tenant("A"), await mine.tenant("B")];
    receiver(() => new Response());
    const over = await enter(await mine.link(await mine.tenant("Over")));
    await env.DB.prepare(
      "UPDATE portal_sessions SET expires_at = 1 WHERE tenant_id LIKE 't-%' AND opened_at IS NOT NULL AND organization_id = ?",
    )
      .bind(mine.own.id)
      .run();
    const visitors: Record<string, Visitor> = {
      nobody: withoutToken(openBrowser()),
      member: withoutToken(await signIn(mine.own.email, mine.own.password)),
      over,
      reader: await enter(await mine.link(a, { access: "read" })),
      writer: await enter(await mine.link(a)),
      other: await enter(await mine.link(b)),
    };
    const told: Record<string, Record<string, number>> = {};
    const expected: typeof told = {};
    const { id } = await mine.endpoint({ tenant: a });
    await mine.done("POST", `/tenants/${a}/events`, { type: "order.paid", data: {} });
    const { items } = await mine.done("GET", `/deliveries?source=tenant:${a}`);
    // What is deleted is gone for all who come later.
    const ends = (line: string) => line.endsWith("/delete");
    for (const line of lines.toSorted((left, right) => Number(ends(left)) - Number(ends(right)))) {
      const [method = "", route = ""] = line.split(" ");
      const path = route
        .replace("endpoints/:id", `endpoints/${id}`)
        .replace("messages/:id", `messages/${encodeURIComponent(items[0].id)}`)
        .replace(":seq", "1");
      told[line] = {};
      for (const [who, visitor] of Object.entries(visitors)) {
        const fields = { url: "https://app.example/new" };
        const answer = method === "GET" ? await visitor.get(path) : await visitor.act(path, fields);
        told[line][who] = answer.status;
      }
      const found = method === "GET" ? 200 : 303;
      const isOfAll = !/:id|:seq/.test(route);
      expected[line] = {
        nobody: 401,
        member: 401,
        over: 401,
        reader: method === "POST" || route.endsWith("signing-secret") ? 403 : 200,
        writer: found,
        other: isOfAll ? found : 404,
      };
    }
    expect(told).toEqual(expected);
  });

  it("takes forms from its own pages alone", async () => {
    const visitor = await enter(await mine.link(await mine.tenant()));
    const fields = { url: "https://app.example/hook" };
    const answers = [
      await visitor.post("/portal/endpoints", fields),
      await visitor.post("/portal/endpoints", { ...fields, formToken: "x" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    const foreign = { origin: "https://evil.example" };
    expect((await visitor.post("/portal/endpoints", fields, foreign)).status).toBe(403);
  });
});

const withoutToken = (browser: ReturnType<typeof openBrowser>): Visitor => ({
  ...browser,
  formToken: "",
  act: (path, fields) => browser.post(path, fields),
});

describe("endpoints in the portal", () => {
  it("are made as /v1 makes them, and hear of their tenant alone", async () => {
    const tenant = await mine.tenant();
    const visitor = await enter(await mine.link(tenant));
    expect((await visitor.get("/portal")).html).toContain("No endpoint yet");
    const fields = {
      url: "https://app.example/hook",
      description: evil,
      eventTypes: "order.*\n user.created",
      channels: "",
      sources: "publish",
      tenant: "another",
    };
    const { status, location } = await visitor.act("/portal/endpoints", fields);
    expect(status).toBe(303);
    const id = location?.split("/").at(-1) ?? "";
    expect(await mine.done("GET", `/destinations/${id}`)).toMatchObject({
      url: fields.url,
      tenant,
      description: evil,
      sources: [`tenant:${tenant}`],
      eventTypes: ["order.*", "user.created"],
      channels: [],
    });
    for (const path of ["/portal", `/portal/endpoints/${id}`, "/portal/messages"])
      expect((await visitor.get(path)).html).not.toContain("<script>alert");
    const { items } = await mine.done("GET", `/audit?actor=portal:${tenant}`);
    expect(items[0]).toMatchObject({ action: "destination.create", target: id });
  });

  it("tell all that is wrong at once, each beside its field, and keep what was typed", async () => {
    const visitor = await enter(await mine.link(await mine.tenant()));
    const fields = {
      url: "ftp://10.0.0.1/",
      description: "x".repeat(1_025),
      eventTypes: "y".repeat(300),
    };
    const { status, html } = await visitor.act("/portal/endpoints", fields);
    expect(status).toBe(400);
    expect(html.match(/aria-invalid="true"/g)).toHaveLength(3);
    expect(html).toContain('value="ftp://10.0.0.1/"');
  });

  it("are changed, switched off and on, tested, and deleted", async () => {
    const tenant = await mine.tenant();
    const { id, url } = await mine.endpoint({
      tenant,
      headers: { authorization: "Bearer theirs" },
    });
    const got = receiver(() => new Response("thanks"));
    const visitor = await enter(await mine.link(tenant));
    const here = `/portal/endpoints/${id}`;
    const told = async () => mine.done("GET", `/destinations/${id}`);
    await visitor.act(here, { url, description: "Billing", eventTypes: "", channels: "eu" });
    expect(await told()).toMatchObject({
      description: "Billing",
      eventTypes: ["*"],
      channels: ["eu"],
      headers: { authorization: "********" },
    });
    await visitor.act(`${here}/disable`);
    expect((await told()).enabled).toBe(false);
    expect((await visitor.get(here)).html).toContain("paused by owner");
    await visitor.act(`${here}/enable`);
    expect((await told()).enabled).toBe(true);
    await visitor.act(`${here}/test`);
    expect((await visitor.get(here)).html).toContain("answered with 200");
    expect(got.filter((one) => one.url === url)).toHaveLength(1);
    await visitor.act(`${here}/recover`, { hours: "1" });
    expect((await visitor.get(here)).html).toContain("no dead notification");
    await visitor.act(`${here}/delete`);
    expect((await visitor.get(here)).status).toBe(404);
  });

  it("show their secret to whoever may change them, and renew it with an overlap", async () => {
    const tenant = await mine.tenant();
    const { id } = await mine.endpoint({ tenant });
    const visitor = await enter(await mine.link(tenant));
    const here = `/portal/endpoints/${id}`;
    const secretOf = async (): Promise<string> =>
      (await mine.done("GET", `/destinations/${id}/signing-secret`)).secret;
    const first = await secretOf();
    expect((await visitor.get(`${here}/signing-secret`)).html).toContain(first);
    await visitor.act(`${here}/rotate`, { overlap: "86400" });
    const { html } = await visitor.get(`${here}/signing-secret`);
    expect(html).toContain(await secretOf());
    expect(html).not.toContain(first);
    expect(html).toContain("Signing beside it");
    const { items } = await mine.done("GET", `/audit?actor=portal:${tenant}`);
    expect(items.map(({ action }: { action: string }) => action)).toEqual([
      "signing-secret.read",
      "destination.rotate",
      "signing-secret.read",
    ]);
  });
});

describe("messages in the portal", () => {
  it("are what was published to the tenant and sent to its endpoints, and nothing that others hear", async () => {
    const tenant = await mine.tenant();
    const { id } = await mine.endpoint({ tenant, eventTypes: ["order.*"] });
    const operators = await mine.endpoint({ sources: [`tenant:${tenant}`] });
    const got = receiver(() => new Response("no", { status: 500 }));
    const publish = (event: object) => mine.done("POST", `/tenants/${tenant}/events`, event);
    await publish({ type: "order.paid", id: "o1", data: { total: 7 }, metadata: { plan: "vip" } });
    await publish({ type: "user.created", id: "u1", data: { text: evil } });
    const deliverAt = new Date(Date.now() + 3_600_000).toISOString();
    await publish({ type: "order.later", id: "o2", data: {}, deliverAt });
    await eventually(async () => got[0]);
    const visitor = await enter(await mine.link(tenant));
    const { html } = await visitor.get("/portal/messages");
    expect(html).toContain("order.paid");
    expect(html).toContain("user.created");
    expect(html).toContain("no endpoint hears of it");
    expect(html).not.toContain("order.later");
    expect(html.match(/\/portal\/messages\/[^"?]+"/g)).toHaveLength(1);
    const searched = async (query: string) =>
      (await visitor.get(`/portal/messages?${query}`)).html.match(/\/portal\/events\/\d+/g) ?? [];
    const found = {
      "eventType=order.paid": 1,
      "text=total": 1,
      "text=nowhere": 0,
      "status=delivered": 0,
      [`destinationId=${id}`]: 1,
      [`destinationId=${operators.id}`]: 0,
      "to=2020-01-01T00:00:00Z": 0,
    };
    for (const [query, count] of Object.entries(found))
      expect([query, await searched(query)]).toEqual([query, Array(count).fill(expect.anything())]);
    const event = await visitor.get("/portal/events/1");
    expect(event.html).toContain("total");
    expect(event.html).not.toContain("vip");
    expect((await visitor.get("/portal/events/2")).html).not.toContain("<script>alert");
    expect((await visitor.get("/portal/events/3")).status).toBe(404);
    const theirs = await mine.done(
      "GET",
      `/deliveries?source=tenant:${tenant}&destinationId=${operators.id}`,
    );
    const hidden = encodeURIComponent(theirs.items[0].id);
    expect((await visitor.get(`/portal/messages/${hidden}`)).status).toBe(404);
    expect((await visitor.act(`/portal/messages/${hidden}/resend`)).status).toBe(404);
  });

  it("show each try with its answer, and are sent again", async () => {
    const tenant = await mine.tenant();
    const { id, url } = await mine.endpoint({ tenant });
    let status = 500;
    const got = receiver(() => new Response("the answer", { status }));
    await mine.done("POST", `/tenants/${tenant}/events`, {
      type: "order.paid",
      data: { total: 7 },
    });
    const of = () => got.filter((one) => one.url === url);
    await eventually(async () => of()[0]);
    const { items } = await mine.done("GET", `/deliveries?source=tenant:${tenant}`);
    expect(items[0].destinationId).toBe(id);
    const here = `/portal/messages/${encodeURIComponent(items[0].id)}`;
    const visitor = await enter(await mine.link(tenant));
    await eventually(async () => (await visitor.get(here)).html.includes("the answer"));
    status = 200;
    await visitor.act(`${here}/resend`);
    await eventually(async () => of()[1]);
    await eventually(async () => (await visitor.get(here)).html.includes(">delivered<"));
  });
});

describe("what the portal never shows", () => {
  it("is found by no text: neither metadata and what else is stored of an event, nor data that a transform takes out", async () => {
    const tenant = await mine.tenant();
    const { id } = await mine.endpoint({
      tenant,
      sources: ["publish", "instance:*"],
      transform: '{"shown": "yes"}',
    });
    receiver(() => new Response());
    const publish = (event: object) => mine.done("POST", `/tenants/${tenant}/events`, event);
    await publish({
      type: "order.paid",
      id: "seen-id",
      data: { total: 7.1, note: 'a "quick" fox', metadata: "shown" },
      channels: ["eu"],
      metadata: { plan: "very-secret", data: "as-secret" },
    });
    await mine.done("POST", "/event-types", { name: "order.sent", schema: { type: "object" } });
    await publish({ type: "order.sent", data: { version: 9 }, metadata: { plan: "very-secret" } });
    const stream = env.EVENT_STREAMS.getByName(`${mine.own.id}/${await instanceOf(tenant)}`);
    await stream.commit(
      commit({ targets: [target({ destinationId: id })], events: [event("1", HIDDEN)] }),
    );
    const visitor = await enter(await mine.link(tenant));
    const found = async (query: string): Promise<number> => {
      const { html } = await visitor.get(`/portal/messages?${query}`);
      return html.match(/<tr/g)?.length ?? 0;
    };
    // With the line of the heads.
    expect(await found("")).toBe(4);
    const texts = {
      total: 2,
      "7.1": 2,
      'a "quick" fox': 2,
      fox: 2,
      metadata: 2,
      '"version":9': 2,
      "very-secret": 0,
      "as-secret": 0,
      plan: 0,
      channels: 0,
      '"version":1': 0,
      "taken-out": 0,
    };
    const told: Record<string, number[]> = {};
    for (const text of Object.keys(texts)) {
      const query = `text=${encodeURIComponent(text)}`;
      const all = [query, `${query}&destinationId=${id}`, `${query}&status=delivered`];
      told[text] = await Promise.all(all.map(found));
    }
    const expected = Object.entries(texts).map(([text, n]) => [text, [n, n, expect.any(Number)]]);
    expect(told).toEqual(Object.fromEntries(expected));
  });
});

/** Data of an event that its endpoint's transform takes out. */
const HIDDEN = { data: '{"internal":"taken-out"}' };

/** The source of an instance of a tenant. */
async function instanceOf(tenant: string): Promise<string> {
  const { id } = await create({}, { tags: [`tenant:${tenant}`] }, mine.own.authorization);
  return `instance:${id}`;
}
