import { beforeAll, describe, expect, it } from "vitest";
import { ask, API_KEY } from "../accounts/ask";
import { countD1 } from "../d1-rows";
import { callV1 } from "../elements/build";
import { type Browser, createAccounts, createEmptyOrganization, signIn } from "./build";

/** API resources in the console: by forms, as a browser without scripts sends them. */

const HERE = "/console/resources";
const V1 = "/apis/management/v1";

let browser: Browser;
let environment: string;
let there: string;
beforeAll(async () => {
  await createAccounts();
  browser = await signIn("edith@mine.example");
  environment = `e-${crypto.randomUUID()}`;
  there = `${HERE}/management/environments/${environment}`;
  await make("/environments", { name: environment, title: "Shop" });
});

const make = (path: string, body: object) => ask("POST", `${V1}${path}`, { token: API_KEY, body });
const read = async (path: string) =>
  (await ask("GET", `${V1}/environments/${environment}${path}`, { token: API_KEY })).body;

async function create(path: string, fields: Record<string, string>) {
  const sent = await browser.post(`${HERE}/create/${path}`, fields);
  return sent.status === 303 ? browser.get(sent.location ?? "") : sent;
}
const inScope = (plural: string) => `management/environments/${environment}/${plural}`;

describe("resources", () => {
  it("of an organization without any begin with a curl that makes an environment", async () => {
    await createEmptyOrganization();
    const nora = await signIn("nora@empty.example");
    expect((await nora.get(HERE)).html).toContain("https://tributary.example/apis");
  });

  it("are made by forms: an environment, a webhook, and a hook that calls it", async () => {
    const name = `f-${crypto.randomUUID()}`;
    const made = await create("management/environments", {
      name,
      title: "Made by hand",
      description: "d",
    });
    expect(made.html).toContain("Made by hand");
    expect((await browser.get(HERE)).html).toContain(">Latest changes<");
    const webhook = await create(inScope("webhooks"), {
      name: "tell",
      url: "https://app.example/hook",
      headers: '{"x-a": "b"}',
    });
    expect(webhook.html).toContain("tell is made.");
    expect((await read("/webhooks/tell")).spec).toMatchObject({
      url: "https://app.example/hook",
      headers: { "x-a": "b" },
    });
    const hook = await create(inScope("resourcehooks"), {
      name: "on-service",
      "kind-0": "management/APIService",
      "created-0": "yes",
      "deleted-0": "yes",
      "name-0": "",
      "where-0": "here",
      webhook: "tell",
    });
    expect(hook.html).toContain("on-service is made.");
    expect((await read("/resourcehooks/on-service")).spec).toEqual({
      triggers: [
        {
          group: "management",
          kind: "APIService",
          name: "*",
          type: ["created", "deleted"],
          scope: { kind: "Environment", name: environment },
        },
      ],
      webhooks: ["tell"],
    });
    const { items } = (await callV1("GET", "/audit?action=resourcehook.create")).body;
    expect(items[0]).toMatchObject({
      actor: expect.stringMatching(/^member:/),
      target: `${environment}/on-service`,
    });
  });

  it("that a hook would have been called for show while it is built", async () => {
    await make(`/environments/${environment}/apiservices`, { name: "orders", spec: {} });
    const query = new URLSearchParams({
      "kind-0": "management/APIService",
      "created-0": "yes",
      "where-0": "here",
      name: "typed-name",
    });
    const { html } = await browser.get(`${there}/resourcehooks?${String(query)}`);
    expect(html).toContain("Would have matched");
    expect(html).toContain(`href="${there}/apiservices/orders"`);
    expect(html).toContain('value="typed-name"');
    query.set("name-0", "another");
    const none = (await browser.get(`${there}/resourcehooks?${String(query)}`)).html;
    expect(none).toMatch(/>\s*0 of the latest/);
  });

  it("keep a secret's values to themselves, and what is stored when stars are sent", async () => {
    const secret = await create(inScope("secrets"), {
      name: "keys",
      "key-0": "token",
      "value-0": "top-secret-value",
    });
    expect(secret.html).not.toContain("top-secret-value");
    expect(secret.html).toContain("********");
    const document = JSON.stringify(await read("/secrets/keys"));
    const path = `${HERE}/replace/${inScope("secrets")}/keys`;
    expect((await browser.post(path, { document })).status).toBe(303);
    const refused = await create(inScope("secrets"), {
      name: "Bad Name",
      "key-0": "k",
      "value-0": "typed-and-secret",
    });
    expect(refused.status).toBe(400);
    expect(refused.html).toContain("Name is not valid.");
    expect(refused.html).toContain('value="Bad Name"');
    expect(refused.html).not.toContain("typed-and-secret");
  });

  it("say all that is wrong at once, beside their fields", async () => {
    const { status, html } = await create(inScope("webhooks"), {
      name: "No",
      url: "ftp://x",
      headers: '{"host": "a"}',
    });
    expect(status).toBe(400);
    for (const field of ["name", "url", "headers"]) expect(html).toContain(`id="${field}-fault"`);
    expect(html).toContain('value="ftp://x"');
    const json = await create(inScope("apiservices"), { document: '{"spec": {"nothing": 1}}' });
    expect(json.html).toContain("spec.nothing");
    const path = `${HERE}/replace/management/environments/${environment}`;
    const broken = await browser.post(path, { document: "{" });
    expect(broken.status).toBe(400);
    expect(broken.html).toContain("not valid JSON");
  });

  it("are edited as JSON, shown as YAML, deleted with what is in them, and logged", async () => {
    const name = `g-${crypto.randomUUID()}`;
    const item = `management/environments/${name}`;
    await create("management/environments", { name });
    await create(`${item}/webhooks`, { name: "inner", url: "https://app.example/hook" });
    const document = JSON.stringify({ name, title: "Renamed", spec: { description: "new" } });
    await browser.post(`${HERE}/replace/${item}`, { document });
    const { html } = await browser.get(`${HERE}/${item}`);
    expect(html).toContain("title: Renamed");
    expect(html).toContain("Webhook created");
    expect(html).toContain("Environment updated");
    expect((await browser.post(`${HERE}/delete/${item}`)).status).toBe(303);
    expect((await browser.get(`${HERE}/${item}`)).status).toBe(404);
  });

  it("outside of environments are listed alone, page by page of their names", async () => {
    const names = Array.from({ length: 51 }, (_, n) => `u${crypto.randomUUID()}-${n}`);
    for (const name of names) await make("/secrets", { name, spec: {} });
    await make(`/environments/${environment}/secrets`, { name: "u-inside", spec: {} });
    const seen: string[] = [];
    let next: string | undefined = `${HERE}/management/secrets?after=u`;
    while (next !== undefined) {
      const { html } = await browser.get(next);
      seen.push(
        ...[...html.matchAll(/management\/secrets\/([^"]+)"/g)].map(([, name = ""]) => name),
      );
      next = /href="([^"]*\?after=[^"]*)"/.exec(html)?.[1];
    }
    expect(seen.filter((name) => names.includes(name)).toSorted()).toEqual(names.toSorted());
    expect(seen).not.toContain("u-inside");
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("that a watch topic has seen are its log", async () => {
    const name = `t-${crypto.randomUUID()}`;
    const filters = [{ group: "management", kind: "APIService", name: "*", type: ["created"] }];
    await make("/watchtopics", { name, spec: { filters } });
    await make(`/environments/${environment}/apiservices`, { name: "seen-by-it", spec: {} });
    const { html } = await browser.get(`${HERE}/management/watchtopics/${name}`);
    expect(html).toContain("What it has seen");
    expect(html).toContain(">seen-by-it<");
  });
});

describe("pages of resources", () => {
  it("show hostile titles, documents and faults as the text they are", async () => {
    const evil = `"><script>alert(1)</script>`;
    await make(`/environments/${environment}/apiservices`, {
      name: "evil",
      title: evil,
      tags: [evil],
      attributes: { a: evil },
      spec: { description: evil },
    });
    const refused = await create(inScope("webhooks"), {
      name: evil,
      title: evil,
      url: evil,
      headers: evil,
      secret: evil,
      key: evil,
    });
    const query = new URLSearchParams({
      "kind-0": "management/APIService",
      "name-0": evil,
      webhook: evil,
      name: evil,
    });
    const pages = [
      refused,
      await create(inScope("apiservices"), { document: evil }),
      await browser.get(`${there}/apiservices`),
      await browser.get(`${there}/apiservices/evil`),
      await browser.get(`${there}/resourcehooks?${String(query)}`),
    ];
    for (const { html } of pages) {
      expect(html).toContain("&lt;script&gt;alert(1)");
      expect(html).not.toContain("<script>alert");
    }
  });

  it("ask D1 few things each, and viewers get no form", async () => {
    for (const path of [HERE, there, `${there}/apiservices`, `${there}/webhooks`]) {
      const counted = countD1();
      await browser.get(path);
      counted.end();
      const asked = counted.queries.filter((query) => !/"(member_sessions|members)"/.test(query));
      // The first page has two lists of scopes, what is outside of them, and the log.
      expect({ path, asked: asked.length <= (path === HERE ? 4 : 3) ? "few" : asked }).toEqual({
        path,
        asked: "few",
      });
    }
    const vera = await signIn("vera@mine.example");
    for (const path of [there, `${there}/webhooks`])
      expect((await vera.get(path)).html).not.toContain('method="post" action="/console/resources');
  });
});
