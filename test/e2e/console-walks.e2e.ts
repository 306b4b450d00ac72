import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TABLE } from "../accounts/routes-by-role.ts";
import { pathOf } from "../accounts/things.ts";
import { openChromium, openPage, signIn } from "./browser.ts";
import { found, type Founded } from "./founded.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** Walks through the console in a real browser, each by somebody with something in mind. */

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

it("finds a callback that stopped, understands why, mends it, and everything arrives", async () => {
  const { things, receiver, owner } = founded;
  const { world } = things;
  const instance = await things.create();
  const { respond } = receiver;
  receiver.respond = () => ({ status: 410, body: { error: "moved away" } });
  const ids = [await world.notify(instance), await world.notify(instance)];
  const { page, faults } = await openPage(browser);
  await signIn(page, `${stack.baseUrl}/console`, owner);
  await expect
    .poll(async () => {
      await page.reload();
      return page.locator("main").innerText();
    })
    .toMatch(/paused by receiver[^]*It answered with 410[^]*dead/);
  await page.getByRole("link", { name: "Callback of Sandbox" }).first().click();
  await page.getByRole("row").nth(1).getByRole("link").first().click();
  await page.getByRole("heading", { name: /^Notification/ }).waitFor();
  await page.goBack();
  const refused = receiver.deliveries.length;
  receiver.respond = respond;
  await page.getByRole("button", { name: "Enable callback" }).click();
  await receiver.waitFor((all) => {
    const arrived = all.slice(refused).map(({ webhookId }) => webhookId);
    return ids.every((id) => arrived.includes(id));
  });
  await page.getByRole("link", { name: "Overview" }).click();
  await expect
    .poll(async () => {
      await page.reload();
      return page.locator("main").innerText();
    })
    .toContain("all well");
  expect(faults).toEqual([]);
  await page.close();
});

it("shows a viewer everything and lets them change nothing, by no button and no request", async () => {
  const { things, viewer } = founded;
  const { id } = await things.instance();
  const { page } = await openPage(browser);
  await signIn(page, `${stack.baseUrl}/console/instances/${id}`, viewer);
  for (const path of [`instances/${id}`, "destinations", "connectors", "apps", "settings"]) {
    await page.goto(`${stack.baseUrl}/console/${path}`);
    const buttons = await page.locator("form[method=post] button").allInnerTexts();
    expect({ path, buttons }).toEqual({ path, buttons: ["Sign out"] });
  }
  const routes = Object.entries(TABLE).flatMap(([line, audience]) =>
    line.startsWith("POST /console/") &&
    typeof audience === "string" &&
    /^(editors|owners)/.test(audience)
      ? [line.slice("POST ".length)]
      : [],
  );
  const paths = await Promise.all(routes.map((route) => pathOf("POST", route, things)));
  const told = await page.evaluate(
    (all) => Promise.all(all.map(async (path) => (await fetch(path, { method: "POST" })).status)),
    paths,
  );
  expect(routes.length).toBeGreaterThan(30);
  expect(new Set(told)).toEqual(new Set([403]));
  await page.close();
});
