import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually, receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { memberOf, type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, signIn } from "./build";

let own: Own;
let browser: Browser;
let tenant: string;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
  tenant = (await v1("POST", "/tenants", { id: "acme", name: "Acme" })).id;
});
afterEach(() => vi.unstubAllGlobals());

const evil = `"><script>alert(1)</script>`;
const HERE = "/console/publish";
const send = (path: string, fields: Record<string, string> = {}, who = browser) =>
  who.post(path, { organization: String(own.id), ...fields });
const v1 = async (method: string, path: string, body?: unknown) =>
  (await callV1(method, path, own.authorization, body)).body;

async function endpoint(wants: object): Promise<string> {
  const url = `https://${crypto.randomUUID()}.example/hook`;
  await v1("POST", "/destinations", { url, ...wants });
  return url;
}

describe("events published in the console", () => {
  it("arrive as they were typed, and are shown with who hears of them", async () => {
    const url = await endpoint({ tenant, channels: ["eu"] });
    const got = receiver(() => new Response());
    const data = '{"total": 9130350000000000001, "note": "<b>"}';
    const typed = { tenant, type: "Order.paid", data, channels: "eu\r\nus" };
    const { status, location } = await send(HERE, typed);
    expect(status).toBe(303);
    expect(location).toMatch(/^\/console\/events\/1\/tenant%3Aacme$/);
    await eventually(async () => got.find((one) => one.url === url));
    const body = got.find((one) => one.url === url)?.body ?? "";
    expect(body).toContain('"total":9130350000000000001');
    const { html } = await browser.get(location ?? "");
    expect(html).toMatch(/Published as evt_[0-9a-f]+: 1 destination hears of it/);
    expect(html).toContain("Order.paid");
    expect(html).not.toContain("Cancel the event");
  });

  it("are found by their tenant, and all together", async () => {
    const [a, b] = [crypto.randomUUID(), crypto.randomUUID()];
    await send(HERE, { tenant, type: "a", data: JSON.stringify(a) });
    await send(HERE, { type: "b", data: JSON.stringify(b) });
    // It counts what happened, by which the sources of several are found.
    const page = (await browser.get("/console/tenants/acme")).html;
    expect(page).toContain(`href="/console/events?source=tenant%3Aacme"`);
    const found = async (query: string) =>
      (await browser.get(`/console/events?${query}`)).html.match(/\/console\/events\/\d+\/[^"]+/g);
    expect(await found(`source=tenant:acme&text=${a}`)).toHaveLength(1);
    expect(await found(`source=tenant:acme&text=${b}`)).toBeNull();
    expect(await found(`source=publish&text=${a}`)).toHaveLength(1);
    expect(await found(`source=publish&text=${b}`)).toHaveLength(1);
    const { html } = await browser.get("/console/events?source=publish");
    expect(html).toContain("All that was published");
    expect(html).toContain("Events published to acme");
  });

  it("begin with the example of their type", async () => {
    const example = { amount: 42, note: evil };
    await v1("POST", "/event-types", { name: "invoice.paid", example });
    for (const { html } of [
      await browser.get(`${HERE}?type=invoice.paid&tenant=acme`),
      await send(HERE, { type: "invoice.paid", tenant, data: "old", fill: "example" }),
    ]) {
      expect(html).toContain("&quot;amount&quot;: 42");
      expect(html).toContain('value="acme"');
      expect(html).toContain('<option value="invoice.paid">');
      expect(html).not.toContain("<script>alert");
    }
  });

  it("tell all that is wrong at once, each beside its field, and publish nothing", async () => {
    const schema = { type: "object", required: ["amount"] };
    await v1("POST", "/event-types", { name: "strict", schema });
    const wrong = async (fields: Record<string, string>) => {
      const { status, html } = await send(HERE, fields);
      expect(status).toBe(400);
      return [...html.matchAll(/id="(\w+)-fault">([^<]*)</g)].map(([, name, text]) => [name, text]);
    };
    const later = new Date(Date.now() + 31 * 86_400_000).toISOString().slice(0, 19);
    expect(
      await wrong({ tenant: "nobody", type: "a b", data: "{", channels: "x y", deliverAt: "soon" }),
    ).toEqual([
      ["tenant", "No tenant &#39;nobody&#39;"],
      ["type", expect.stringContaining("Expected 1 to 256")],
      ["data", "This is not JSON"],
      ["channels", expect.stringContaining("number 1: Expected 1 to 128")],
      ["deliverAt", expect.stringContaining("Expected")],
    ]);
    expect(await wrong({ type: "strict", data: "{}", deliverAt: later })).toEqual([
      ["data", expect.stringContaining("amount")],
      ["deliverAt", "Expected an instant at most 30 days from now"],
    ]);
    expect(await wrong({ type: "a", data: "" })).toEqual([["data", "Expected any JSON value"]]);
    const { items } = await v1("GET", "/streams/tenant:-/events?eventType=strict");
    expect(items).toEqual([]);
  });

  it("wait until they are told, and are cancelled where they are seen", async () => {
    await endpoint({ eventTypes: ["later"] });
    const deliverAt = new Date(Date.now() + 7_200_000).toISOString().slice(0, 19);
    const { location } = await send(HERE, { type: "later", data: "1", deliverAt });
    const { html } = await browser.get(location ?? "");
    expect(html).toContain("Cancel the event");
    expect(html).toMatch(/in 1 h/);
    const list = await browser.get("/console/events?source=publish&eventType=later");
    expect(/told <time/.test(list.html)).toBe(true);
    const id = /name="id" value="([^"]+)"/.exec(html)?.[1] ?? "";
    const cancelled = await send(`${HERE}/cancel`, { id, tenant: "" });
    expect(cancelled.location).toBe(location);
    const after = (await browser.get(location ?? "")).html;
    expect(after).toContain("Cancelled: 1 destination does not hear of it.");
    expect(after).not.toContain("Cancel the event");
    expect((await send(`${HERE}/cancel`, { id })).status).toBe(409);
    expect((await send(`${HERE}/cancel`, { id: "nothing" })).status).toBe(404);
    expect((await v1("GET", "/audit?limit=1")).items[0]).toMatchObject({
      action: "event.cancel",
      target: id,
    });
  });

  it("are published by no viewer, nor for another organization", async () => {
    const [email, password] = [`viewer@${crypto.randomUUID()}.example`, "password-of-a-viewer"];
    await env.DB.batch([...memberOf(own.id, { email, password, role: "viewer" })]);
    const viewer = await signIn(email, password);
    expect((await send(HERE, { type: "a", data: "1" }, viewer)).status).toBe(403);
    expect((await viewer.get("/console/tenants/acme")).html).not.toContain(`action="${HERE}"`);
    expect((await send(HERE, { organization: "1", type: "a", data: "1" })).status).toBe(409);
  });
});
