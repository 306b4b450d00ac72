import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { boxEmulator } from "../vendors/box.ts";
import { type Concur, startConcur } from "../vendors/concur.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { serveVendor } from "../vendors/serve.ts";
import { startAsking } from "./asking.ts";
import { openChromium, openPage, pictures } from "./browser.ts";
import { type Stack, startStack } from "./stack.ts";

/**
 * From an organization without anything to the first callback, by clicks alone, in a real browser. With `SCREENSHOTS`,
 * each page is kept as pictures in that folder: wide and narrow, light and dark.
 */

/** Box calls nothing but https. */
const PUBLIC_URL = "https://tributary.example";
/** From an organization without anything to the first delivered callback, signing in included. */
const MOST_CLICKS = 12;

let stack: Stack;
let browser: Browser;
const open: { close(): Promise<unknown> }[] = [];
beforeAll(async () => {
  stack = await startStack({ env: { TRIBUTARY_PUBLIC_URL: PUBLIC_URL } });
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(open.map((one) => one.close()));
  await stack?.stop();
});

/** A vendor that asks; the address that it sends somebody back to is where the stack is in truth. */
async function asking(vendor: string, authorize: string): Promise<string> {
  const moved = (location: string) => location.replace(PUBLIC_URL, stack.baseUrl);
  const server = await startAsking(vendor, authorize, moved);
  open.push(server);
  return server.site;
}

async function receiving(): Promise<Receiver> {
  const receiver = await startReceiver();
  open.push(receiver);
  return receiver;
}

/** A member at the overview, whose clicks are counted. */
async function visitor(): Promise<{
  page: Page;
  click: (name: string | RegExp) => Promise<void>;
  clicks: () => number;
  faults: string[];
}> {
  const { page, faults } = await openPage(browser);
  let clicks = 0;
  await page.goto(`${stack.baseUrl}/console`);
  await page.getByLabel("E-mail").fill(stack.local.email);
  await page.getByLabel("Password").fill(stack.local.password);
  const click = async (name: string | RegExp): Promise<void> => {
    clicks += 1;
    const named = { name, ...(typeof name === "string" ? { exact: true } : {}) };
    await page
      .getByRole("button", named)
      .or(page.getByRole("link", named))
      .or(page.getByRole("checkbox", named))
      .or(page.locator("summary").filter({ hasText: name }))
      .first()
      .click();
  };
  await click("Sign in");
  return { page, click, clicks: () => clicks, faults };
}

it("connects Box by consent, with webhooks made there, and delivers the first event", async () => {
  const box = await serveVendor(boxEmulator());
  open.push(box);
  const vendor = await asking(box.url, "/api/oauth2/authorize");
  const receiver = await receiving();
  const { page, click, clicks, faults } = await visitor();
  await click("Connect an account");
  await page.getByRole("heading", { name: "Connect an account" }).waitFor();
  await pictures(page, "gallery");
  await click("Box");
  await page.getByLabel("What to call it").fill("Box of <Ada>");
  await page.getByLabel("OAuth API key").fill("client-id");
  await page.getByLabel("OAuth API secret").fill("client-secret");
  await page.getByLabel("Files and folders").fill("folder:8");
  await page.getByLabel("Inbound signature key", { exact: true }).fill("box-key");
  await page.getByLabel("Callback URL", { exact: true }).fill(`${receiver.url}/hook`);
  await click("More settings");
  await page.getByLabel("API base URL").fill(box.url);
  await page.getByLabel("OAuth base URL").fill(vendor);
  await pictures(page, "box");
  await click("Create instance");
  await click("Grant access");
  await page.getByText("Connected to Box.").waitFor();
  const id = /\d+$/.exec(page.url())?.[0];
  expect([...box.hooks.values()]).toMatchObject([{ target: { id: "8", type: "folder" } }]);
  const source = { id: "8", type: "folder", etag: "0" };
  const [sent] = box.deliveries("FOLDER.RENAMED", source, "box-key");
  if (sent === undefined) throw new Error("Box has no webhook");
  const address = sent.address.replace(PUBLIC_URL, stack.baseUrl);
  const { body, headers } = sent;
  expect((await fetch(address, { method: "POST", body, headers })).status).toBe(200);
  await receiver.waitFor(1);
  expect(clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  await page.reload();
  await page
    .getByText(/folders? 8/)
    .first()
    .waitFor();
  await pictures(page, "box-instance");
  expect(page.url()).toBe(`${stack.baseUrl}/console/instances/${id}`);
  expect(faults).toEqual([]);
  await page.close();
});

it("connects Concur with reports chosen, previews the poll, and delivers the first report", async () => {
  const concur: Concur = await startConcur();
  open.push(concur);
  const vendor = await asking(concur.url, "/oauth2/v0/authorize");
  const receiver = await receiving();
  const { page, click, clicks, faults } = await visitor();
  await click("Connect an account");
  await click("Concur");
  await page.getByLabel("OAuth API key").fill(concur.clientId);
  await page.getByLabel("Callback URL", { exact: true }).fill(`${receiver.url}/hook`);
  await page.getByLabel("Poll interval").fill("soon");
  await click("More settings");
  await page.getByLabel("API base URL").fill(concur.url);
  await page.getByLabel("OAuth base URL").fill(vendor);
  expect(await page.getByRole("checkbox", { name: "reports", exact: true }).isChecked()).toBe(true);
  await click("Create instance");
  // Both faults at once, beside their fields; what was typed is still there.
  await page.getByText("Concur can't be called without it", { exact: true }).waitFor();
  await page.getByText(/^Expected a whole number from 1 to 44640, got 'soon'$/).waitFor();
  await pictures(page, "concur-faults");
  await page.getByLabel("OAuth API secret").fill(concur.clientSecret);
  await page.getByLabel("Poll interval").fill("1");
  await click("Preview the next poll");
  await page
    .getByText(/^Asks: \/hubs\/expense\/reports\?where=modifiedDateAfter='20\d\d-/)
    .waitFor();
  await pictures(page, "concur-preview");
  await click("Create instance");
  await click("Grant access");
  await page.getByText("Connected to Concur.").waitFor();
  const at = Date.now() + 1;
  concur.addReport({ id: "R-1", created: at, modified: at });
  await click("Poll now");
  await receiver.waitFor(1);
  expect(clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  await page.reload();
  await page
    .getByText(/reports R-1/)
    .first()
    .waitFor();

  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByLabel("What to call it").fill("Concur of Ada");
  await page.getByText("How reports is polled").click();
  const json = page.locator("#resource-0-json");
  await json.fill((await json.inputValue()).replace('"idField"', '"pageSize": 50,\n  "idField"'));
  expect(await page.locator("#resource-0-pageSize").inputValue()).toBe("50");
  await pictures(page, "concur-edit");
  await page.getByRole("button", { name: "Save", exact: true }).last().click();
  await page.getByText("Saved.").waitFor();
  const { body } = await stack.call(
    "GET",
    `/elements/api-v2${new URL(page.url()).pathname.replace("/console", "")}`,
  );
  expect(body).toMatchObject({ name: "Concur of Ada", valid: true });
  expect(JSON.parse(body.configuration["event.poller.configuration"])).toMatchObject({
    reports: { pageSize: 50, idField: "ID" },
  });
  await page.getByRole("button", { name: "Send test" }).click();
  await page.getByText(/The test was answered with 200/).waitFor();
  await page.getByRole("link", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "What is removed" }).waitFor();
  await pictures(page, "delete");
  await page.getByRole("button", { name: "Delete it" }).click();
  await page.getByText("Concur of Ada is deleted.").waitFor();
  expect(faults).toEqual([]);
  await page.close();
});
