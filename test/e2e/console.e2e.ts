import { createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WAIT_MS } from "../patience.ts";
import { type Sandbox, startSandbox } from "../vendors/sandbox.ts";
import { openChromium } from "./browser.ts";
import { connect, createInstance, type Polled, poll, receive } from "./polled.ts";
import { type Stack, startStack } from "./stack.ts";

/** A real browser in the console. With `SCREENSHOTS`, each page is kept as a picture in that folder. */

let stack: Stack;
let sandbox: Sandbox;
let polled: Polled;
let browser: Browser;

beforeAll(async () => {
  [stack, sandbox] = await Promise.all([startStack(), startSandbox()]);
  browser = await openChromium();
  polled = await connect(stack, {
    element: { key: "sandbox" },
    configuration: { "base.url": sandbox.url, "sandbox.api.key": sandbox.apiKey },
    name: "Sandbox CRM of Ada",
  });
});

afterAll(async () => {
  await browser?.close();
  await polled?.receiver.close();
  await sandbox?.close();
  await stack?.stop();
});

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS"];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** Whether the page is as wide as the screen, and no wider. */
const fits = (page: Page): Promise<boolean> =>
  page.evaluate("document.documentElement.scrollWidth <= window.innerWidth");

describe("the console in a browser", () => {
  it("shows a delivered notification from its instance to its tries, and sends it again", async () => {
    sandbox.create("accounts", { name: "Analytical Engines <Ltd>" });
    await poll(stack, polled.id);
    await receive(polled.receiver, 1);
    const deliveries = `/v1/deliveries?source=instance:${polled.id}`;
    await expect
      .poll(async () => (await stack.call("GET", deliveries)).body.items[0]?.status)
      .toBe("delivered");

    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(WAIT_MS);
    const faults: string[] = [];
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(`${stack.baseUrl}/console`);
    await picture(page, "sign-in");
    await page.getByLabel("E-mail").fill(stack.local.email);
    await page.getByLabel("Password").fill(stack.local.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${stack.baseUrl}/console`);
    await page.getByText("events came in").waitFor();
    await picture(page, "overview");

    await page.getByRole("link", { name: "Instances" }).click();
    await page.getByRole("link", { name: "Sandbox CRM of Ada" }).click();
    await page.getByRole("heading", { name: "Sandbox CRM of Ada" }).waitFor();
    await page.getByRole("row").nth(1).getByRole("link").first().click();
    await page.getByRole("heading", { name: /^Notification/ }).waitFor();
    const text = await page.locator("main").innerText();
    expect(text).toContain("Analytical Engines <Ltd>");
    expect(text).toContain("delivered");
    expect(text).toContain("200");
    await picture(page, "notification");

    await page.getByRole("button", { name: "Resend" }).click();
    await page.getByText("On its way again").waitFor();
    const [, again] = await polled.receiver.waitFor(2);
    expect(again?.webhookId).toBe(polled.receiver.deliveries[0]?.webhookId);
    expect(faults).toEqual([]);
    await page.close();
  });

  it("polls, tests and disables by its buttons, on a telephone too", async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(`${stack.baseUrl}/console/instances`);
    await page.getByLabel("E-mail").fill(stack.local.email);
    await page.getByLabel("Password").fill(stack.local.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${stack.baseUrl}/console/instances`);
    expect(await fits(page)).toBe(true);
    await picture(page, "instances-narrow");

    await page.getByRole("link", { name: "Sandbox CRM of Ada" }).click();
    sandbox.create("accounts", { name: "Difference" });
    await page.getByRole("button", { name: "Poll now" }).click();
    await page.getByText("Polled: 1 change.").waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, "instance-narrow");

    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("button", { name: "Enable" }).click();
    await page.getByText("Enabled: it goes on where it left off.").waitFor();

    await page.getByRole("link", { name: "Destinations" }).click();
    await page.getByRole("button", { name: "Test" }).click();
    await page.getByText(/The test was answered with 200/).waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, "destinations-narrow");

    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, "overview-narrow");
    polled.receiver.respond = () => ({
      status: 400,
      headers: { "webhook-delivery": "abort-message" },
      body: { error: "not like this" },
    });
    sandbox.create("accounts", { name: "Refused" });
    await poll(stack, polled.id);
    await polled.receiver.waitFor((deliveries) =>
      deliveries.some(({ text }) => text.includes("Refused")),
    );
    await page.setViewportSize({ width: 1280, height: 800 });
    const dead = page.getByText("dead", { exact: true });
    await expect
      .poll(async () => {
        await page.goto(`${stack.baseUrl}/console/instances/${polled.id}`);
        return dead.count();
      })
      .toBeGreaterThan(0);
    await page.getByRole("row").nth(1).getByRole("link").first().click();
    await page.getByText("Show").first().click();
    await picture(page, "dead");
    await page.goto(`${stack.baseUrl}/console/destinations`);
    await picture(page, "destinations");
    await page.goto(`${stack.baseUrl}/console/instances/${polled.id}`);
    await picture(page, "instance");
    await page.goto(`${stack.baseUrl}/console/instances`);
    await picture(page, "instances");
    await context.close();
  });

  it("shows what needs attention and what became no event, and replays it, on a telephone too", async () => {
    const { id } = await createInstance(stack, {
      element: { key: "github" },
      configuration: { "event.vendor.type": "webhook", "event.vendor.signature.key": "first" },
      name: "Issues of Ada",
    });
    const body = JSON.stringify({
      action: "opened",
      issue: { number: 5, title: "A <b>bold</b> one" },
    });
    const address = `${stack.baseUrl}/elements/api-v2/events/github/${btoa(String(id))}`;
    const signature = createHmac("sha256", "second").update(body).digest("hex");
    const headers = {
      "content-type": "application/json",
      "x-github-event": "issues",
      "x-github-delivery": "one",
      "x-hub-signature-256": `sha256=${signature}`,
    };
    expect((await fetch(address, { method: "POST", headers, body })).status).toBe(401);

    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(`${stack.baseUrl}/console/instances/${id}`);
    await page.getByLabel("E-mail").fill(stack.local.email);
    await page.getByLabel("Password").fill(stack.local.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Needs attention" }).waitFor();
    await page.getByText("Headers", { exact: true }).click();
    await page.getByText(/ bytes$/).click();
    await page.getByText("A <b>bold</b> one").waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, "untaken-narrow");
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByText("Still no event (refused): wrong-signature.").waitFor();
    await stack.call("PATCH", `/elements/api-v2/instances/${id}`, {
      configuration: { "event.vendor.signature.key": "second" },
    });
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByText("Taken: 1 event.").waitFor();
    await page.getByText(/ bytes$/).click();
    expect(await fits(page)).toBe(true);
    await picture(page, "untaken");
    await page.goto(`${stack.baseUrl}/console/instances`);
    await picture(page, "instances-to-look-at");
    await context.close();
  });

  it("manages members without scripts, on a telephone too", async () => {
    const viewport = { width: 390, height: 844 };
    const context = await browser.newContext({ viewport, javaScriptEnabled: false });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(`${stack.baseUrl}/console/members`);
    await page.getByLabel("E-mail").fill(stack.local.email);
    await page.getByLabel("Password").fill(stack.local.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL(`${stack.baseUrl}/console/members`);
    await page.getByLabel("E-mail").fill("grace@guests.example");
    await page.getByLabel("Role").last().selectOption("editor");
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByText("/console/invitations/").waitFor();
    await page.getByText("Manage").last().click();
    await page.getByRole("button", { name: "Take back" }).waitFor();
    await picture(page, "members-on-a-telephone");
    const { scrollWidth } = await page.locator("html").evaluate((html) => ({
      scrollWidth: html.scrollWidth,
    }));
    expect(scrollWidth).toBeLessThanOrEqual(viewport.width);
    await page.setViewportSize({ width: 1280, height: 800 });
    await picture(page, "members");
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByText("grace@guests.example is no member any more.").waitFor();
    await context.close();
  });

  it("signs a member in with a passkey that they made, on a telephone in the dark", async () => {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      colorScheme: "dark",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    const device = await context.newCDPSession(page);
    await device.send("WebAuthn.enable");
    await device.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    // Browsers make no passkeys for an address.
    const here = stack.baseUrl.replace("127.0.0.1", "localhost");
    await page.goto(`${here}/console/security`);
    await picture(page, "sign-in-narrow");
    await page.getByLabel("E-mail").fill(stack.local.email);
    await page.getByLabel("Password").fill(stack.local.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Security" }).waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, "security-narrow");

    await page.getByRole("link", { name: "Add one" }).click();
    await page.getByLabel("Present password").fill(stack.local.password);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByLabel("What to call it").fill("Telephone");
    await picture(page, "passkey-new-narrow");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByText("From now on you may sign in with Telephone").waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, "passkeys-narrow");

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();

    await page.goto(`${here}/console/two-step`);
    await page.getByLabel("Present password").fill(stack.local.password);
    await page.getByRole("button", { name: "Set up" }).click();
    await page.getByRole("img", { name: "The key as a QR code" }).waitFor();
    expect(await fits(page)).toBe(true);
    await picture(page, "two-step-narrow");
    expect(faults).toEqual([]);
    await context.close();
  });
});
