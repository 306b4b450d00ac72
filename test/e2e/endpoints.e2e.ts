import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openChromium, openPage, signIn } from "./browser.ts";
import { found, type Founded } from "./founded.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** An endpoint from its making to its change by whom it is for, in a real browser. */

let stack: Platform;
let browser: Browser;
let founded: Founded;

beforeAll(async () => {
  [stack, browser] = await Promise.all([sharedStack(), openChromium()]);
  founded = await found(stack);
});
afterAll(async () => {
  await browser?.close();
  await founded?.close();
});

it("is made for a customer, hears what is published to them, and is changed by their people", async () => {
  const { things, owner, receiver } = founded;
  const tenant = await things.tenant();
  const example = { amount: 42 };
  await things.v1("POST", "/event-types", { name: "invoice.paid", example });
  const { page, faults } = await openPage(browser);
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const follow = (name: string) => page.getByRole("link", { name, exact: true }).click();

  await signIn(page, `${stack.baseUrl}/console/tenants/${tenant}`, owner);
  await follow("New endpoint");
  expect(await page.getByLabel("Tenant").inputValue()).toBe(tenant);
  await page.getByLabel("URL", { exact: true }).fill(`${receiver.url}/orders`);
  await page.getByLabel("Description").fill("Orders");
  await page.getByText("What it hears of").click();
  await press("invoice.paid");
  await press("Make the endpoint");
  await page.getByRole("heading", { name: "Orders" }).waitFor();
  await press("Send a test");
  await page.getByText(/The test was answered with 200/).waitFor();

  await follow(tenant);
  await page.getByText("Publish an event").click();
  await page.getByLabel("Event type").fill("invoice.paid");
  await press("Fill in the type’s example");
  await press("Publish");
  await page.getByText("1 destination hears of it").waitFor();
  const isTold = ({ path, text }: { path: string; text: string }): boolean =>
    path === "/orders" && text.includes('"amount":42');
  await receiver.waitFor((all) => all.some(isTold));

  const sessions = `/tenants/${tenant}/portal-sessions`;
  const { body } = await things.v1("POST", sessions, { access: "write" });
  await page.goto(`${stack.baseUrl}${new URL(body.url).pathname}`);
  await follow("Orders");
  await page.getByLabel("Description").fill("Invoices");
  await press("Save");
  await page.getByRole("heading", { name: "Invoices" }).waitFor();
  await follow("Messages");
  await page.getByText("invoice.paid").first().waitFor();
  expect(faults).toEqual([]);
  await page.close();
});
