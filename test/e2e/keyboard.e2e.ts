import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openChromium, openPage } from "./browser.ts";
import { found, type Founded } from "./founded.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

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

/** Goes from one thing to the next by the keyboard, seeing where that is, up to what is called so; and presses it. */
async function reach(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let tabs = 0; tabs < 100; tabs += 1) {
    await page.keyboard.press("Tab");
    const focus = "document.activeElement";
    const [text, is, outline] = (await page.evaluate(
      `[${focus}.innerText, ${focus}.tagName, getComputedStyle(${focus}).outlineStyle]`,
    )) as [string, string, string];
    // After the last thing comes the browser's own frame; and parts of its date fields show the focus themselves.
    if (is === "BODY" || is === "INPUT") continue;
    expect({ text, is, outline }).toEqual({ text, is, outline: "solid" });
    if (name.test(text)) return page.keyboard.press("Enter");
    seen.push(text);
  }
  throw new Error(`Nothing called ${name} is reached, only ${seen.join(", ")}`);
}

it("goes from home to an event and sends it again, by the keyboard alone", async () => {
  const { things, receiver, owner } = founded;
  await things.notification();
  await receiver.waitFor(1);
  const { page, faults } = await openPage(browser);
  await page.goto(`${stack.baseUrl}/console`);
  await page.locator("[name=email]:focus").waitFor();
  for (const text of [owner.email, "\t", owner.password, "\n"])
    await (text === "\t" ? page.keyboard.press("Tab") : page.keyboard.type(text));
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await reach(page, /^Events$/);
  await page.getByRole("heading", { name: "Events", level: 1 }).waitFor();
  await reach(page, /^created accounts/);
  await page.getByRole("heading", { name: /^created accounts/, level: 1 }).waitFor();
  await reach(page, /^Resend$/);
  await page.getByText("On its way again").waitFor();
  const [first, again] = await receiver.waitFor(2);
  expect(again?.webhookId).toBe(first?.webhookId);
  expect(faults).toEqual([]);
  await page.close();
});
