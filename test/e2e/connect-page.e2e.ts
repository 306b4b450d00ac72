import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startConcur } from "../vendors/concur.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import { serve, type Server } from "../vendors/server.ts";
import { startAsking } from "./asking.ts";
import { openChromium, openPage, pictures } from "./browser.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/**
 * Customers who connect an account by themselves, from the page of an application: by consent in a window of its own, which
 * tells the page, and by a key, without scripts, which leads back. Then the first change of the account arrives.
 */

let stack: Platform;
let browser: Browser;
let application: Server & { site: string };
let receiver: Receiver;
let v1: (method: string, path: string, body?: unknown) => Promise<any>;
const open: { close(): Promise<unknown> }[] = [];

const APPLICATION = `<!doctype html><title>App</title><button>Connect</button><pre></pre><script>
document.querySelector("button").onclick = () => open(new URLSearchParams(location.search).get("link"), "", "popup,width=420,height=800");
addEventListener("message", ({ origin, data }) => {
  document.querySelector("pre").textContent = JSON.stringify({ origin, data });
});
</script>`;

beforeAll(async () => {
  [stack, browser, receiver] = await Promise.all([sharedStack(), openChromium(), startReceiver()]);
  const served = await serve(async () => ({
    status: 200,
    headers: { "content-type": "text/html" },
    body: APPLICATION,
  }));
  application = Object.assign(served, { site: served.url.replace("127.0.0.1", "localhost") });
  open.push(receiver, served);
  const email = `${crypto.randomUUID()}@connect.example`;
  const made = await stack.call("POST", "/v1/organizations", {
    name: "Engines",
    email,
    password: "a-good-password",
  });
  const authorization = `User ${made.body.userSecret}, Organization ${made.body.organizationSecret}`;
  v1 = async (method, path, body) => {
    const answer = await fetch(`${stack.baseUrl}/v1${path}`, {
      method,
      headers: { authorization },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(told));
    return told;
  };
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(open.map((one) => one.close()));
});

/** A tenant whose destination hears of all that is its own. */
async function tenant(id: string): Promise<string> {
  await v1("POST", "/tenants", { id, name: "Acme" });
  await v1("POST", "/destinations", { tenant: id, url: `${receiver.url}/${id}` });
  return id;
}

/** An address of the deployment's public name where the stack is in truth. */
const here = (address: string): string => address.replace(/^https:\/\/[^/]+/, stack.baseUrl);

/** A link by which people of a tenant connect an account. */
const linkFor = async (id: string, asked: object): Promise<string> =>
  here((await v1("POST", `/tenants/${id}/connect-sessions`, asked)).url);

/** What arrived for a tenant, once there is so much. */
async function told(id: string, count: number): Promise<any[]> {
  const its = (all: Receiver["deliveries"]) => all.filter(({ path }) => path === `/${id}`);
  const all = await receiver.waitFor((deliveries) => its(deliveries).length >= count);
  return its(all).map(({ body }) => body);
}

it("consent in a window, and the page that opened it is told", async () => {
  const concur = await startConcur();
  const vendor = await startAsking(concur.url, "/oauth2/v0/authorize", here);
  open.push(concur, vendor);
  const id = await tenant("by-consent");
  const { clientId: key, clientSecret: secret } = concur;
  await v1("PUT", "/oauth-apps/concur", { key, secret });
  const url = await linkFor(id, {
    connectors: ["concur"],
    origin: application.site,
    state: "of-the-app",
    name: "Reports",
    configuration: { "base.url": concur.url, "oauth.base.url": vendor.site },
  });
  const { page } = await openPage(browser);
  await page.goto(`${application.site}/?link=${encodeURIComponent(url)}`);
  const opening = page.waitForEvent("popup");
  await page.getByRole("button", { name: "Connect" }).click();
  const popup = await opening;
  await popup.getByRole("heading", { name: "Connect Concur" }).waitFor();
  await pictures(popup, "connect-page-consent");
  await popup.getByRole("button", { name: "Sign in at Concur" }).click();
  await popup.getByRole("link", { name: "Grant access" }).click();
  await page.getByText("tributary.connected").waitFor();
  const message = JSON.parse((await page.locator("pre").textContent()) ?? "");
  const { instanceId } = message.data;
  expect(message).toEqual({
    origin: stack.baseUrl,
    data: { type: "tributary.connected", instanceId, state: "of-the-app" },
  });
  const at = Date.now() + 1;
  concur.addReport({ id: "R-1", created: at, modified: at });
  await v1("POST", `/instances/${instanceId}/poll`);
  expect(await told(id, 2)).toMatchObject([
    {
      type: "instance.connected",
      data: { instanceId, connector: "concur", name: "Reports", reconnected: false },
    },
    { type: "reports.CREATED", tenant: id, object: { id: "R-1" } },
  ]);
  await page.close();
});

it("by a key, without scripts, and the browser is led back", async () => {
  const sandbox = await startSandbox();
  open.push(sandbox);
  const id = await tenant("by-key");
  const url = await linkFor(id, {
    connectors: ["sandbox", "github"],
    returnTo: `${application.site}/back`,
    state: "of-the-app",
    configuration: { "base.url": sandbox.url },
  });
  const { page } = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(url);
  await pictures(page, "connect-page-choice");
  await page.getByRole("link", { name: "Sandbox CRM" }).click();
  await page.getByLabel("API key").fill("not-the-key");
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByText(/It is not connected yet:/).waitFor();
  await pictures(page, "connect-page-fault");
  await page.getByLabel("API key").fill(sandbox.apiKey);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.waitForURL(/\/back\?/);
  const back = new URL(page.url());
  const instanceId = Number(back.searchParams.get("instanceId"));
  expect(back.href).toBe(`${application.site}/back?instanceId=${instanceId}&state=of-the-app`);
  sandbox.create("accounts", { name: "First" }, Date.now() + 1);
  await v1("POST", `/instances/${instanceId}/poll`);
  expect(await told(id, 2)).toMatchObject([
    { type: "instance.connected", data: { instanceId, connector: "sandbox" } },
    { type: "accounts.CREATED", tenant: id },
  ]);
  const opened = await page.goto(url);
  expect(opened?.status()).toBe(401);
  await page.getByText("This link was opened before").waitFor();
  await page.close();
});
