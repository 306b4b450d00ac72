import { beforeAll, describe, expect, it } from "vitest";
import { callV1, create } from "../elements/build";
import { type Own, memberOf, ownOrganization } from "../organization";
import { env } from "cloudflare:workers";
import { type Browser, createAccounts, openBrowser, signIn } from "./build";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});

const evil = `"><script>alert(1)</script>`;
const HERE = "/console/tenants";
const send = (path: string, fields: Record<string, string> = {}, who = browser) =>
  who.post(path, { organization: String(own.id), ...fields });
const told = async (id: string) => (await callV1("GET", `/tenants/${id}`, own.authorization)).body;

describe("the console's tenants", () => {
  it("teach what a tenant is while there is none, and are made as /v1 makes them", async () => {
    expect((await browser.get(HERE)).html).toContain("No tenant yet");
    const fields = { id: "acme", name: evil, rate: "2.5", retentionDays: "3", metadata: '{"a":1}' };
    const { status, location } = await send(HERE, fields);
    expect({ status, location }).toEqual({ status: 303, location: `${HERE}/acme` });
    const made = { name: evil, rate: 2.5, retentionDays: 3, metadata: { a: 1 }, disabled: false };
    expect(await told("acme")).toMatchObject(made);
    for (const path of [HERE, `${HERE}/acme`])
      expect((await browser.get(path)).html).not.toContain("<script>alert");
  });

  it("tell all that is wrong at once, and keep what was typed", async () => {
    const fields = { id: "a b", rate: "fast", retentionDays: "99", metadata: evil };
    const { status, html } = await send(HERE, fields);
    expect(status).toBe(400);
    expect(html.match(/aria-invalid="true"/g)).toHaveLength(4);
    expect(html).toContain('value="fast"');
    expect(html).not.toContain("<script>alert");
    expect((await send(HERE, { id: "acme" })).html).toContain("There is a tenant");
  });

  it("show what belongs to each, by its name", async () => {
    const { id } = await create(
      {},
      { name: "Box of Acme", tags: ["tenant:acme"] },
      own.authorization,
    );
    const { html } = await browser.get(`${HERE}/acme`);
    expect(html).toContain(`<a href="/console/instances/${id}">Box of Acme</a>`);
    expect((await browser.get(`${HERE}?search=nobody`)).html).toContain("No tenant is called that");
  });

  it("have links to their portal, which are shown once and open it as was chosen", async () => {
    const { status, html } = await send(`${HERE}/acme/portal-sessions`, { access: "read" });
    expect(status).toBe(200);
    const [, path = ""] = /https:\/\/tributary\.example(\/portal\/open\/[\w-]+)/.exec(html) ?? [];
    const customer = openBrowser();
    await customer.get(path);
    const portal = await customer.get("/portal");
    expect(portal.status).toBe(200);
    expect(portal.html).not.toContain("Add an endpoint");
    expect((await browser.get(`${HERE}/acme`)).html).not.toContain("/portal/open/");
    const all = await send(`${HERE}/acme/portal-sessions`, { access: "all" });
    expect(all.status).toBe(400);
  });

  it("are changed, switched off and on, and deleted once their id is typed", async () => {
    await send(`${HERE}/acme`, { name: "Acme", rate: "", retentionDays: "", metadata: "" });
    expect(await told("acme")).toMatchObject({ name: "Acme", rate: null, metadata: {} });
    await send(`${HERE}/acme/disable`);
    expect(await told("acme")).toMatchObject({ disabled: true });
    await send(`${HERE}/acme/enable`);
    expect(await told("acme")).toMatchObject({ disabled: false });
    expect((await send(`${HERE}/acme/delete`, { confirm: "other" })).status).toBe(409);
    expect((await send(`${HERE}/acme/delete`, { confirm: "acme" })).status).toBe(303);
    expect((await browser.get(`${HERE}/acme`)).status).toBe(404);
  });

  it("are looked at by viewers, who find nothing to change them with", async () => {
    await callV1("POST", "/tenants", own.authorization, { id: "seen" });
    const [email, password] = [`viewer@${crypto.randomUUID()}.example`, "password-of-a-viewer"];
    await env.DB.batch([...memberOf(own.id, { email, password, role: "viewer" })]);
    const viewer = await signIn(email, password);
    for (const path of [HERE, `${HERE}/seen`])
      expect((await viewer.get(path)).html).not.toContain('method="post" action="/console/tenants');
    expect((await send(`${HERE}/seen/disable`, {}, viewer)).status).toBe(403);
  });
});
