import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../vendors/sandbox.ts";
import { openChromium, openPage, pictures, signIn } from "./browser.ts";
import { connect, poll, receive } from "./polled.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** Somebody describes an API by clicks, tries it, saves it and is told of its changes. */

let stack: Platform;
let sandbox: Sandbox;
let browser: Browser;

beforeAll(async () => {
  [stack, sandbox] = await Promise.all([sharedStack(), startSandbox()]);
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await sandbox?.close();
});

it.each([true, false])(
  "an API is described, tried, saved and polled; scripts: %s",
  async (javaScriptEnabled) => {
    const key = `crm-${crypto.randomUUID().slice(0, 8)}`;
    const { page, faults } = await openPage(browser, { javaScriptEnabled });
    const shoot = (name: string) => (javaScriptEnabled ? pictures(page, name) : undefined);

    await signIn(page, `${stack.baseUrl}/console/connectors`, stack.local);
    await page.getByRole("heading", { name: "Connectors" }).waitFor();
    await shoot("connectors");
    await page.getByRole("link", { name: "New connector" }).click();

    await page.getByLabel("Name", { exact: true }).first().fill("Small CRM");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText(/things are wrong/).waitFor();
    await shoot("connector-faults");
    await page.getByLabel("Key", { exact: true }).first().fill(key);
    await page.getByLabel("Hub", { exact: true }).fill("crm");
    await page.getByLabel("Base URL").fill(sandbox.url);
    const resource = page.locator("details.row", { hasText: "Path of its list" });
    await resource.getByLabel("Name").fill("accounts");
    await resource.getByLabel("Path of its list").fill("/v1/accounts");
    await resource.getByLabel("Where the answer has the records").fill("data");
    await resource.getByLabel("Field of a record’s id").fill("id");
    await resource.getByLabel("Field of its last change").fill("updatedDate");
    await resource.getByLabel("Field of its creation").fill("createdDate");
    await resource
      .getByLabel("Polled: how its dates are written")
      .selectOption("2026-01-31T12:00:00.000Z");
    await resource.getByLabel("Parameter that asks for changes since").fill("updated_since");
    await resource.getByLabel("Paging").selectOption("By number");
    await resource.getByLabel("Parameter of the page, offset or cursor").fill("page");
    await resource.getByLabel("Parameter of the page’s size").fill("page_size");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("Nothing is wrong with it.").waitFor();

    if (javaScriptEnabled) {
      const document = page.getByLabel(/^The same as JSON/);
      const description = page.getByLabel("Description");
      await description.fill("Typed once");
      expect(await document.inputValue()).toContain('"description": "Typed once"');
      await document.fill((await document.inputValue()).replace("Typed once", "Typed again"));
      expect(await description.inputValue()).toBe("Typed again");
      await document.evaluate((area: { setSelectionRange(from: number, to: number): void }) =>
        area.setSelectionRange(1, 1),
      );
      await document.pressSequentially('"rat');
      await page.getByRole("button", { name: "rateLimit" }).click();
      await page.keyboard.type('{"req');
      await page.getByRole("button", { name: "requests" }).click();
      await page.keyboard.type("50},");
      await page.getByRole("button", { name: "Check" }).click();
      await page.getByText("Nothing is wrong with it.").waitFor();
      expect(await document.inputValue()).toContain('"requests": 50');
    }
    sandbox.create("accounts", { name: `Tried <${key}>` });
    await page.getByLabel("Token (api.token)").fill(sandbox.apiKey);
    await page.getByRole("button", { name: "Ask the API" }).click();
    await page.getByText(/^\d records?/).waitFor();
    await page.getByText("What it answered").click();
    await page.getByText(`Tried <${key}>`).waitFor();
    await shoot("connector-tried");

    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Small CRM" }).waitFor();
    await shoot("connector");

    const polled = await connect(stack, {
      element: { key },
      configuration: { "api.token": sandbox.apiKey },
      name: "CRM of Ada",
    });
    const { id } = sandbox.create("accounts", { name: "Told" });
    await poll(stack, polled.id);
    const events = await receive(polled.receiver, 1);
    expect(events).toMatchObject([{ objectType: "accounts", objectId: id, eventType: "CREATED" }]);
    await polled.receiver.close();

    await page.reload();
    await page.getByRole("link", { name: "CRM of Ada" }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
  },
);
