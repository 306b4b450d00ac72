import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { countD1 } from "../d1-rows";
import { call, callV1, stubOutside, VENDOR } from "../elements/build";
import { described } from "../inbound/described";
import { memberOf, type Own, ownOrganization } from "../organization";
import { type Browser, signIn } from "./build";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});
afterEach(() => vi.unstubAllGlobals());

const newKey = (): string => `own-${crypto.randomUUID().slice(0, 8)}`;

/** A connector whose issues are polled. */
const polled = (key: string) => ({
  ...described(key),
  baseUrl: VENDOR,
  resources: {
    issues: {
      list: { path: "/issues", root: "data" },
      idField: "id",
      updatedField: "updated",
      paging: { style: "page", pageParameter: "page", sizeParameter: "limit" },
    },
  },
  events: {
    methods: ["polling", "webhook"],
    defaultMode: "polling",
    polling: {
      issues: {
        url: "/hubs/helpdesk/issues",
        idField: "id",
        datesConfiguration: {
          updatedDateField: "updated",
          updatedDateFormat: "yyyy-MM-dd'T'HH:mm:ssXXX",
        },
      },
    },
  },
});

const send = (path: string, document: object | string, fields: Record<string, string> = {}) =>
  browser.post(path, {
    document: typeof document === "string" ? document : JSON.stringify(document),
    ...fields,
  });

const store = async (document: { key: string }): Promise<string> => {
  const { status } = await call("POST", "/elements", document, own.authorization);
  expect(status).toBe(200);
  return document.key;
};

describe("own connectors", () => {
  it("are made, shown, changed and deleted, each written down in the audit log", async () => {
    const key = newKey();
    const made = await send("/console/new-connector", polled(key), { name: "Tickets", seen: "{}" });
    expect(made).toMatchObject({ status: 303, location: `/console/connectors/${key}` });
    const page = (await browser.get(`/console/connectors/${key}`)).html;
    expect(page).toContain("Tickets is made.");
    expect(page).toContain("<h1>Tickets</h1>");
    expect(page).toContain("hmac-sha256 in <code>x-signature</code>");

    expect((await browser.get("/console/connectors")).html).toContain(
      `href="/console/connectors/${key}"`,
    );
    const here = `/console/connectors/${key}`;
    expect((await browser.get(`${here}/edit`)).html).toContain("Edit Tickets");
    const changed = { ...polled(key), name: "Issues" };
    expect((await send(`${here}/edit`, changed)).status).toBe(303);
    expect((await call("GET", `/elements/${key}`, undefined, own.authorization)).body.name).toBe(
      "Issues",
    );
    expect((await browser.post(`${here}/delete`)).location).toBe("/console/connectors");
    expect((await browser.get(here)).status).toBe(404);
    const { items } = (await callV1("GET", "/audit?limit=20", own.authorization)).body;
    const deeds = items
      .filter(({ target }: any) => target === key)
      .map(({ action }: any) => action);
    expect(deeds.toSorted()).toEqual(["connector.create", "connector.delete", "connector.update"]);
  });

  it("show everything that is wrong at once, beside its control and by its path, and keep what was typed", async () => {
    const wrong = { ...polled(newKey()), key: "Bad Key", hub: "", surprise: 1 };
    const { status, html } = await send("/console/new-connector", wrong, {
      seen: "{}",
      baseUrl: "http://10.0.0.1/typed",
    });
    expect(status).toBe(400);
    expect(html).toContain("4 things are wrong");
    for (const name of ["key", "hub", "baseUrl"]) {
      expect(html).toContain(`<a href="#${name}">${name}</a>`);
      expect(html).toContain(`id="${name}-fault"`);
    }
    expect(html).toContain("<li>surprise: ");
    expect(html).toContain('value="http://10.0.0.1/typed"');
    expect(html).toContain("&quot;surprise&quot;: 1");
  });

  it.each([
    ["no JSON", "{", "The body is not valid JSON"],
    ["no object", "[]", "Expected a JSON object"],
    ["too deep", "[".repeat(1_000), "nested deeper than"],
  ])("whose document is %s come back as they were typed", async (_, document, words) => {
    const { status, html } = await send("/console/new-connector", document, { name: "Kept" });
    expect(status).toBe(400);
    expect(html).toContain(words);
    expect(html).toContain('value="Kept"');
  });

  it("with a key that is taken say so beside it", async () => {
    const key = await store(polled(newKey()));
    for (const taken of [key, "box"]) {
      const { html } = await send("/console/new-connector", polled(taken));
      expect(html).toContain('<span class="fault small" id="key-fault">');
    }
  });

  it("are not deleted while instances use them, which their page names", async () => {
    const key = await store(polled(newKey()));
    const body = { element: { key }, name: "Ada’s account", configuration: {} };
    const instance = await call("POST", "/instances", body, own.authorization);
    expect(instance.status).toBe(200);
    const { html } = await browser.get(`/console/connectors/${key}`);
    expect(html).toContain(`<a href="/console/instances/${instance.body.id}">Ada’s account</a>`);
    expect(html).not.toContain(`action="/console/connectors/${key}/delete"`);
    expect((await browser.post(`/console/connectors/${key}/delete`)).status).toBe(409);
  });

  it("ask D1 at most twice for a page, beside the two times for who is signed in", async () => {
    const key = await store(polled(newKey()));
    const here = `/console/connectors/${key}`;
    const asked: Record<string, number> = {};
    for (const path of ["/console/new-connector", "/console/connectors", here, `${here}/edit`]) {
      const counted = countD1();
      expect((await browser.get(path)).status).toBe(200);
      counted.end();
      asked[path] = counted.queries.length;
    }
    expect(asked).toEqual({
      "/console/new-connector": 2,
      "/console/connectors": 3,
      [here]: 4,
      [`${here}/edit`]: 3,
    });
  });

  it("are a viewer's to see, not to change", async () => {
    const key = await store(polled(newKey()));
    const email = `viewing-${key}@mine.example`;
    await env.DB.batch(memberOf(own.id, { email, password: own.password, role: "viewer" }));
    const viewer = await signIn(email, own.password);
    const here = `/console/connectors/${key}`;
    const { html } = await viewer.get(here);
    expect(html).toContain("Show the JSON");
    expect(html).not.toContain("Edit");
    expect(html).not.toContain("/delete");
    for (const path of [`${here}/edit`, `${here}/delete`, `${here}/test`, "/console/new-connector"])
      expect({ path, status: (await viewer.post(path)).status }).toEqual({ path, status: 403 });
  });
});

describe("trying a connector", () => {
  const test = "/console/new-connector/test";

  it("asks the API with what is typed, shows the answer and the events of it, and keeps no secret", async () => {
    const key = newKey();
    const sent = stubOutside(() =>
      Response.json({ data: [{ id: 7, updated: "2026-01-02T03:04:05Z", note: "<b>bold</b>" }] }),
    );
    const { html } = await send(test, polled(key), {
      do: "call",
      "try.resource": "issues",
      [`value.${key}.token`]: "the-typed-secret",
    });
    expect(sent).toHaveLength(1);
    expect(sent[0]?.url.href).toBe(`${VENDOR}/issues?page=1&limit=5`);
    expect(sent[0]?.headers.get("authorization")).toBe("the-typed-secret");
    expect(html).toContain("1 record");
    expect(html).toContain("issues 7");
    expect(html).toContain("&lt;b&gt;bold&lt;/b&gt;");
    expect(html).toContain("Authorization: ********");
    expect(html).not.toContain("the-typed-secret");
    expect((await call("GET", `/elements/${key}`, undefined, own.authorization)).status).toBe(404);
  });

  it.each([
    ["a refusal", () => new Response("<i>no</i>", { status: 403 }), "&lt;i&gt;no&lt;/i&gt;"],
    [
      "what is no list",
      () => Response.json({ items: [] }),
      "The answer has no list at &#39;data&#39;",
    ],
    ["a page of HTML", () => new Response("<html>"), "is not JSON"],
  ])("shows %s of the vendor", async (_, answer, words) => {
    stubOutside(answer);
    const key = newKey();
    const typed = { do: "call", "try.resource": "issues", [`value.${key}.token`]: "t" };
    expect((await send(test, polled(key), typed)).html).toContain(words);
  });

  it("sends nothing without a credential, nor to an address that is not public", async () => {
    const sent = stubOutside(() => Response.json({ data: [] }));
    const key = newKey();
    const missing = await send(test, polled(key), { do: "call", "try.resource": "issues" });
    expect(missing.html).toContain(`Missing configuration &#39;${key}.token&#39;`);
    const inside = await send(test, polled(key), {
      do: "call",
      "try.resource": "issues",
      [`value.${key}.token`]: "t",
      "value.base.url": "http://169.254.169.254",
    });
    expect(inside.html).toContain("cannot be reached");
    expect(sent).toEqual([]);
  });

  it("uses credentials that a definition holds only as it is stored, at its own address", async () => {
    const key = newKey();
    await store({ ...polled(key), headers: { "x-api-key": "stored-secret" } } as { key: string });
    const { definition } = (await call("GET", `/elements/${key}`, undefined, own.authorization))
      .body;
    const sent = stubOutside(() => Response.json({ data: [] }));
    const path = `/console/connectors/${key}/test`;
    const typed = { do: "call", "try.resource": "issues", [`value.${key}.token`]: "t" };
    const elsewhere = { ...definition, baseUrl: "https://elsewhere.example" };
    for (const [document, more] of [
      [elsewhere, {}],
      [definition, { "value.base.url": "https://elsewhere.example" }],
    ] as const)
      expect((await send(path, document, { ...typed, ...more })).html).toContain(
        "holds credentials that are stored",
      );
    expect(sent).toEqual([]);
    const { html } = await send(path, definition, typed);
    expect(sent[0]?.headers.get("x-api-key")).toBe("stored-secret");
    expect(html).not.toContain("stored-secret");
  });

  it.each([
    ['{"action":"opened","issue":{"number":5}}', ["CREATED", "issues 5"]],
    ['{"action":"opened"}', ["No event: no change is found in it.", "It lacks: objectId"]],
    ["neither this nor that", ["No event.", "neither JSON nor XML nor a form"]],
  ])("reads a webhook that is pasted in: %s", async (body, words) => {
    const { html } = await send(test, polled(newKey()), {
      do: "webhook",
      "webhook-body": body,
      "webhook-headers": "x-event: issues\r\ncontent-type: application/json",
    });
    for (const one of words) expect(html).toContain(one);
  });
});

it("shows hostile names, addresses and answers as the text they are", async () => {
  const evil = `"><script>alert(1)</script></textarea>`;
  const key = newKey();
  const document = {
    ...polled(key),
    name: evil,
    hub: evil,
    description: evil,
    events: { methods: ["polling"], defaultMode: "polling" },
    resources: { [evil]: { ...polled(key).resources.issues, idField: evil } },
  };
  await store(document);
  stubOutside(() => new Response(evil, { status: 400 }));
  const here = `/console/connectors/${key}`;
  const shown = [
    await browser.get("/console/connectors"),
    await browser.get(here),
    await browser.get(`${here}/edit`),
    await send(`${here}/edit`, { ...document, key: evil, [evil]: evil }),
    await send("/console/new-connector", evil, { name: evil, seen: evil }),
    await send(`${here}/test`, document, {
      do: "call",
      "try.resource": evil,
      [`value.${key}.token`]: "t",
    }),
    await send(`${here}/test`, document, {
      do: "webhook",
      "webhook-headers": evil,
      "webhook-body": evil,
    }),
  ];
  for (const { html } of shown) {
    expect(html).toContain("&lt;script&gt;alert(1)");
    expect(html).not.toContain("<script>alert");
  }
});
