import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { API_KEY, ask, newUser } from "../accounts/ask";
import { call, callV1, create, MINE } from "../elements/build";
import { receiver } from "../delivery/build";
import { PARTS } from "../../src/console/destinations/fields";
import { endpointRequest } from "../../src/operations/destinations/fields";
import { step, trigger } from "../flows/components";
import { memberOf, type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, signIn } from "./build";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});
afterEach(() => vi.unstubAllGlobals());

const FIELDS = PARTS.flatMap(({ fields }) => fields);
const evil = `"><script>alert(1)</script>`;
const HERE = "/console/destinations";
const send = (path: string, fields: Record<string, string> = {}, who = browser) =>
  who.post(path, { organization: String(own.id), ...fields });
const v1 = async (method: string, path: string, body?: unknown) =>
  (await callV1(method, path, own.authorization, body)).body;
const told = (id: string) => v1("GET", `/destinations/${id}`);
const urlOf = () => `https://${crypto.randomUUID()}.example/hook`;

async function made(fields: Record<string, string>): Promise<string> {
  const { status, location, html } = await send(`${HERE}/new`, fields);
  expect({ status, faults: html.match(/class="fault[^<]*<?/g) }).toEqual({
    status: 303,
    faults: null,
  });
  return location?.split("/").at(-1) ?? "";
}

/** What a browser would send of the form on a page, if nobody typed anything. */
function shownIn(html: string): Record<string, string> {
  const form = html.slice(html.indexOf("<h2>Change</h2>"));
  const decoded = (text: string) =>
    text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ENTITIES[name] ?? "");
  const inputs = form.matchAll(/<input id="([^"]+)"[^>]* value="([^"]*)"/g);
  const areas = form.matchAll(/<textarea id="([^"]+)"[^>]*>\n([^<]*)<\/textarea>/g);
  const selects = form.matchAll(
    /<select id="([^"]+)"[^>]*>(?:(?!<\/select>).)*<option value="([^"]*)" selected/gs,
  );
  return Object.fromEntries(
    [...inputs, ...areas, ...selects].map(([, name = "", value = ""]) => [
      name,
      // As forms send lines.
      decoded(value).replaceAll("\n", "\r\n"),
    ]),
  );
}
const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };

describe("endpoints in the console", () => {
  it("have a place for everything that /v1 takes", () => {
    const typed = new Set(FIELDS.map(({ name }) => name.split(".")[0]));
    expect(typed).toEqual(new Set(Object.keys(endpointRequest.shape)));
  });

  it("are made with all that /v1 takes, and saved as shown stay as they are", async () => {
    await v1("POST", "/tenants", { id: "acme" });
    const url = urlOf();
    const id = await made({
      url,
      name: "orders",
      tenant: "acme",
      description: evil,
      enabled: "false",
      sources: "publish\r\ninstance:*",
      eventTypes: "order.*, user.created",
      channels: "eu\r\n\r\nus",
      filter: "data.total > 5",
      transform: '{"id": objectId}',
      headers: "x-team: billing\r\nX-Api-Key: abc:def",
      format: "cloudevents-structured",
      schemaVersion: "2",
      "batch.size": "10",
      "batch.waitMs": "500",
      rate: "2.5",
      ordering: "object",
      deadHead: "block",
      retrySchedule: "0, 5, 300",
      deactivate: "7",
      timeoutMs: "20000",
      concurrency: "4",
      "auth.type": "oauth2",
      "auth.tokenUrl": "https://login.example/token",
      "auth.clientId": "us",
      "auth.clientSecret": "hidden",
      "auth.username": "of another kind",
      "signature.header": "X-Hub-Signature-256",
      "signature.prefix": "sha256=",
      "signature.secret": "theirs",
      "signature.separator": "comma",
      metadata: '{"plan": "vip"}',
    });
    const expected = {
      url,
      name: "orders",
      tenant: "acme",
      description: evil,
      enabled: false,
      sources: ["publish", "instance:*"],
      eventTypes: ["order.*", "user.created"],
      channels: ["eu", "us"],
      filter: "data.total > 5",
      transform: '{"id": objectId}',
      headers: { "x-team": "billing", "X-Api-Key": "********" },
      format: "cloudevents-structured",
      schemaVersion: 2,
      batch: { size: 10, waitMs: 500 },
      rate: 2.5,
      ordering: "object",
      deadHead: "block",
      retrySchedule: [0, 5, 300],
      deactivate: 7,
      timeoutMs: 20_000,
      concurrency: 4,
      auth: {
        type: "oauth2",
        tokenUrl: "https://login.example/token",
        clientId: "us",
        clientSecret: "********",
        authStyle: "header",
      },
      signature: {
        header: "X-Hub-Signature-256",
        prefix: "sha256=",
        encoding: "hex",
        content: "${body}",
        secret: "********",
        separator: ",",
      },
      metadata: { plan: "vip" },
    };
    const before = await told(id);
    expect(before).toMatchObject(expected);
    const { html } = await browser.get(`${HERE}/${id}`);
    expect(html).not.toContain("<script>alert");
    expect((await send(`${HERE}/${id}`, shownIn(html))).status).toBe(303);
    expect(await told(id)).toEqual(before);
    const { items } = await v1("GET", "/audit?limit=2");
    expect(items.map(({ action, target }: any) => [action, target])).toEqual([
      ["destination.update", id],
      ["destination.create", id],
    ]);
  });

  it("are made of a URL alone as /v1 makes them", async () => {
    const id = await made({ url: urlOf() });
    const plain = await v1("POST", "/destinations", { url: urlOf() });
    const own = ["id", "ownerId", "url", "signing"];
    const rest = (of: object) =>
      Object.fromEntries(Object.entries(of).filter(([name]) => !own.includes(name)));
    expect(rest(await told(id))).toEqual(rest(await told(plain.id)));
  });

  it("tell all that is wrong at once, each beside its field, and keep what was typed", async () => {
    const wrong = {
      url: "ftp://10.0.0.1/",
      tenant: "nobody",
      sources: "publish\r\nnonsense",
      filter: "$((",
      headers: "x-team billing",
      "batch.size": "1000",
      "batch.waitMs": "5",
      debounceMs: "soon",
      rate: "fast",
      retrySchedule: "0, later",
      "signature.prefix": "sha256=",
      "auth.type": "basic",
      "auth.username": "a:b",
      metadata: "{",
    };
    const { status, html } = await send(`${HERE}/new`, wrong);
    expect(status).toBe(400);
    const faulty = [...html.matchAll(/<(?:input|textarea) id="([^"]+)"[^>]*aria-invalid/g)];
    const without = new Set(["batch.waitMs", "signature.prefix", "auth.type"]);
    const faults = Object.keys(wrong).filter((name) => !without.has(name));
    const names = [...faults, "signature.header", "auth.password"];
    expect(new Set(faulty.map(([, name]) => name))).toEqual(new Set(names));
    expect(html).toContain("number 2: Expected publish, instance:27");
    expect(html).toContain("Expected &#39;Name: value&#39; on each line");
    expect(html).toContain("This is not JSON");
    expect(html).toContain('value="fast"');
    expect(await v1("GET", "/destinations?text=10.0.0.1")).toMatchObject({ items: [] });
    const name = `n-${crypto.randomUUID()}`;
    await made({ url: urlOf(), name });
    const taken = await send(`${HERE}/new`, { url: urlOf(), name });
    expect(taken.html).toMatch(/id="name"[^>]*aria-invalid/);
  });

  it("are changed in what is typed otherwise, and in nothing else", async () => {
    const url = urlOf();
    const headers = { authorization: "Bearer theirs", "x-old": "1" };
    const signature = { header: "x-signature", encoding: "hex" };
    const batch = { size: 5, waitMs: 9 };
    const { id } = await v1("POST", "/destinations", { url, headers, batch, signature });
    const here = `${HERE}/${id}`;
    const shown = shownIn((await browser.get(here)).html);
    await send(here, {
      ...shown,
      headers: `${shown["headers"]?.split("\r\n")[0]}\r\nx-new: 2`,
      "batch.size": "",
      "batch.waitMs": "",
      "signature.header": "",
      "signature.encoding": "base64",
      debounceMs: "250",
      eventTypes: "",
    });
    expect(await told(id)).toMatchObject({
      headers: { authorization: "********", "x-new": "2" },
      batch: null,
      signature: null,
      debounceMs: 250,
      eventTypes: ["*"],
    });
    const seen: (string | null)[] = [];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      seen.push(new Headers(init.headers).get("authorization"));
      return new Response();
    });
    const { location } = await send(`${here}/test`, { next: here });
    expect(location).toBe(here);
    expect(seen).toEqual(["Bearer theirs"]);
    const bad = await send(here, { ...shown, url: "https://10.0.0.1/" });
    expect(bad.status).toBe(400);
    expect(bad.html).toContain('value="https://10.0.0.1/"');
    expect((await send(here, { ...shown, organization: "1" })).status).toBe(409);
  });

  it("are switched off and on, found, and deleted with a word on what goes with them", async () => {
    const url = urlOf();
    const id = await made({ url, description: "To billing" });
    const here = `${HERE}/${id}`;
    await send(`${here}/disable`, { next: here });
    const off = (await browser.get(here)).html;
    expect(off).toContain("paused by owner");
    expect(off).toContain("Removed are its settings and its signing keys.");
    const found = async (query: string) =>
      (await browser.get(`${HERE}?${query}`)).html.includes(`href="${here}"`);
    expect(await found("text=billing&kind=endpoint&enabled=false")).toBe(true);
    expect(await found("text=billing&kind=instance")).toBe(false);
    expect(await found("text=billing&tenant=acme")).toBe(false);
    expect((await send(`${here}/enable`, { next: here })).location).toBe(here);
    expect(await told(id)).toMatchObject({ enabled: true });
    expect((await send(`${here}/delete`)).location).toBe(HERE);
    expect((await browser.get(here)).status).toBe(404);
  });

  it("are looked at by viewers, who find nothing to change them with", async () => {
    const id = await made({ url: urlOf(), eventTypes: "order.paid" });
    const [email, password] = [`viewer@${crypto.randomUUID()}.example`, "password-of-a-viewer"];
    await env.DB.batch([...memberOf(own.id, { email, password, role: "viewer" })]);
    const viewer = await signIn(email, password);
    const { html } = await viewer.get(`${HERE}/${id}`);
    expect(html).toContain("order.paid");
    expect(html).not.toContain('method="post" action="/console/destinations');
    for (const path of ["/new", `/${id}`, `/${id}/disable`, `/${id}/delete`])
      expect((await send(`${HERE}${path}`, { url: urlOf() }, viewer)).status).toBe(403);
  });
});

it("shows destinations of every kind, and changes how each is served", async () => {
  receiver(() => new Response());
  const edith = await signIn("edith@mine.example");
  const { token } = await newUser();
  const { id: instance } = await create({ "event.notification.callback.url": urlOf() });
  const [url, other] = [urlOf(), urlOf()];
  const environment = `e-${crypto.randomUUID()}`;
  for (const [path, body] of [
    ["", { name: environment }],
    [`/${environment}/webhooks`, { name: "tell", spec: { url } }],
  ] as const)
    await ask("POST", `/apis/management/v1/environments${path}`, { token: API_KEY, body });
  const flow = { T: trigger("x"), P: step() };
  const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
  const command = { token, body: { command: "start" } };
  await ask("POST", `/flows/${flowId}/coordinator`, command);
  const wanted = { channel: "webhook", topics: [crypto.randomUUID()], config: { url: other } };
  await call("POST", "/notifications/subscriptions", wanted);
  const idOf = async (at: string): Promise<string> =>
    (await callV1("GET", `/destinations?text=${new URL(at).host}`, MINE)).body.items[0].id;
  const kinds: [id: string, says: string, mayOrder: boolean][] = [
    [`instance-${instance}`, "Callback of", true],
    [await idOf(url), "Webhook to", true],
    [await idOf(other), "Subscription of", true],
    [`flow-${flowId}-P`, "Step P of F", false],
  ];
  for (const [id, says, mayOrder] of kinds) {
    const here = `${HERE}/${encodeURIComponent(id)}`;
    const { status, html } = await edith.get(here);
    expect({ id, status, says: html.includes(says) }).toEqual({ id, status: 200, says: true });
    expect(html.includes('id="ordering"')).toBe(mayOrder);
    expect(html).not.toContain('id="url"');
    const saved = await edith.post(here, { organization: "1", ...shownIn(html), rate: "7" });
    expect(saved.location).toBe(here);
    expect((await callV1("GET", `/destinations/${id}`, MINE)).body.rate).toBe(7);
    expect((await edith.post(`${here}/delete`, { organization: "1" })).status).toBe(409);
  }
  const { configuration } = (await call("GET", `/instances/${instance}`)).body;
  expect(configuration["event.notification.rate"]).toBe("7");
});
