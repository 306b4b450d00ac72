import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WAIT_MS } from "../patience.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { openChromium, openPage, pictures, signIn } from "./browser.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** Apps and API resources in a real browser, by clicks only. With `SCREENSHOTS`, each page is kept as pictures in that folder. */

let stack: Platform;
let receiver: Receiver;
let browser: Browser;
const name = `ada-${crypto.randomUUID()}`;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([sharedStack(), startReceiver()]);
  browser = await openChromium();
  await fetch(`${stack.baseUrl}/user`, {
    method: "POST",
    headers: { authorization: `Bearer ${stack.local.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ username: name, password: "a-good-password-of-ada" }),
  });
});

afterAll(async () => {
  await browser?.close();
  await receiver?.close();
});

/** Signed in, on a page. */
async function visit(path: string) {
  const { page, faults } = await openPage(browser);
  const press = (text: string) => page.getByRole("button", { name: text, exact: true }).click();
  const open = (text: string) => page.getByText(text, { exact: true }).first().click();
  await signIn(page, `${stack.baseUrl}${path}`, stack.local);
  return { page, faults, press, open };
}

it("takes a flow from a template to its callback", { timeout: 4 * WAIT_MS }, async () => {
  const { page, faults, press, open } = await visit("/console/apps");
  await page.getByLabel("Name or address").fill(name);
  await press("Search");
  await page.waitForURL(/search=/);
  await page.getByRole("link", { name }).first().waitFor();
  await pictures(page, "apps");
  await page.getByRole("link", { name }).first().click();

  await open("New flow");
  await page.getByLabel("Name").fill("Tell the shop");
  await page.getByLabel("Event that starts it").fill("order-paid");
  await page.getByLabel("Callback URL").fill(receiver.url);
  await page
    .getByLabel("Example of the event’s data")
    .fill('{"total": 3, "buyer": {"email": "a@b.example"}}');
  await pictures(page, "user-new-flow");
  await press("Create flow");
  await page.getByText("Created. Look it over").waitFor();
  await pictures(page, "flow");

  await press("Make a draft");
  await page.getByText("A draft was made of it").waitFor();
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  const step = page.locator("details.card").nth(1);
  await step.locator("summary").first().click();
  await step.getByLabel("Label").fill("Tell the till");
  await step.getByLabel("Body").fill("");
  await step.getByText(/^Variables to use/).click();
  await step.getByRole("button", { name: /\.buyer\.email/ }).click();
  await pictures(page, "edit");
  await step.getByRole("button", { name: "Save step" }).click();
  await page.getByText("Saved.").waitFor();
  await page.getByRole("link", { name: "Back to the flow" }).click();
  await press("Publish");
  await page.getByText("Published.").waitFor();
  await open("Share it");
  await page.getByLabel("With").selectOption("scope");
  await press("Share");
  await page.getByText("every user of the organization").first().waitFor();
  await pictures(page, "template");
  await page.getByLabel("Activate it for the user").fill(name);
  await press("Activate");
  await page.getByText("Activated for").waitFor();

  receiver.respond = () => ({ status: 422, body: { error: "not like this" } });
  await press("Start");
  await page.getByText("Started:").waitFor();
  await open("Fire a test event");
  await press("Fire event");
  await page.getByText("The event started 1 run.").waitFor();
  const failed = await receiver.waitFor((deliveries) => deliveries.length > 0);
  expect(failed[0]?.text).toBe("a@b.example");
  await expect
    .poll(async () => {
      await page.reload();
      const retry = await page.getByRole("button", { name: "Retry" }).count();
      // The entry is there before the run is known to be dead; only then is it sent again.
      return [retry, await page.getByText("dead", { exact: true }).count()];
    })
    .toEqual([1, 1]);
  await pictures(page, "flow-unprocessed");
  receiver.respond = () => ({ status: 200, body: {} });
  await press("Retry");
  await page.getByText("On its way again").waitFor();
  await receiver.waitFor((deliveries) => deliveries.length > 1);
  await page.getByRole("link", { name: "Apps", exact: true }).click();
  await page.getByRole("link", { name: "Templates" }).click();
  await page.getByRole("link", { name: "Tell the shop" }).first().waitFor();
  await pictures(page, "templates");
  expect(faults).toEqual([]);
  await page.close();
});

it("hangs a hook on an environment, which calls", { timeout: 4 * WAIT_MS }, async () => {
  const hook = await startReceiver();
  const { page, faults, press } = await visit("/console/resources");
  const environment = `shop-${crypto.randomUUID().slice(0, 8)}`;
  const link = (text: string) =>
    page.getByRole("link", { name: text, exact: true }).first().click();
  await page.getByRole("link", { name: /environments, and new ones|New environment/ }).click();
  await page.getByLabel("Name").fill(environment);
  await page.getByLabel("Title").fill("The shop");
  await press("Create");
  await page.getByText("is made.").waitFor();

  await link("Webhooks");
  await page.getByLabel("Name").fill("tell-me");
  await page.getByLabel("URL").fill(hook.url);
  await pictures(page, "new-webhook");
  await press("Create");
  await page.getByText("is made.").waitFor();

  await link(environment);
  await link("API Services");
  await page.getByLabel("APIService, as JSON").fill('{"name": "orders", "spec": {}}');
  await press("Create from JSON");
  await page.getByText("orders is made.").waitFor();

  await link(environment);
  await pictures(page, "environment");
  await link("Resource Hooks");
  await page.getByLabel("Kind").first().selectOption("management/APIService");
  await page.getByLabel("Name", { exact: true }).first().fill("on-service");
  await page.getByRole("checkbox", { name: "tell-me" }).check();
  await press("Show what would have matched");
  await page.getByText(/^1 of the latest/).waitFor();
  await pictures(page, "hook-builder");
  await press("Create");
  await page.getByText("on-service is made.").waitFor();
  await pictures(page, "hook");

  await link(environment);
  await link("API Services");
  await page.getByLabel("APIService, as JSON").fill('{"name": "bills", "spec": {}}');
  await press("Create from JSON");
  const [call] = await hook.waitFor(1);
  expect(call?.text).toContain('"bills"');
  await page.getByRole("link", { name: "Resources", exact: true }).first().click();
  await page.getByRole("heading", { name: "Latest changes" }).waitFor();
  await pictures(page, "resources");
  expect(faults).toEqual([]);
  await page.close();
  await hook.close();
});
