import { createHmac } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WAIT_MS } from "../patience.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { openChromium, openPage, pictures, signIn } from "./browser.ts";
import { createInstance } from "./polled.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** Events in a real browser, by clicks only. With `SCREENSHOTS`, each page is kept as pictures in that folder. */

let stack: Platform;
let receiver: Receiver;
let browser: Browser;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([sharedStack(), startReceiver()]);
  browser = await openChromium();
});

afterAll(async () => {
  await browser?.close();
  await receiver?.close();
});

it("finds an event, shows what became of it and takes it up again; new ones come in by themselves", async () => {
  const name = `Shop of ${crypto.randomUUID().slice(0, 8)}`;
  const key = "a-key-of-the-shop";
  const { id } = await createInstance(stack, {
    element: { key: "github" },
    configuration: {
      "event.vendor.type": "webhook",
      "event.vendor.signature.key": key,
      "event.notification.callback.url": `${receiver.url}/hook`,
    },
    name,
  });
  const send = async (number: number): Promise<void> => {
    const body = JSON.stringify({
      action: "opened",
      issue: { number, title: `Order <${number}>` },
    });
    const proof = createHmac("sha256", key).update(body).digest("hex");
    const answer = await fetch(
      `${stack.baseUrl}/elements/api-v2/events/github/${btoa(String(id))}`,
      {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": "issues",
          "x-github-delivery": crypto.randomUUID(),
          "x-hub-signature-256": `sha256=${proof}`,
        },
        body,
      },
    );
    expect(answer.status).toBe(200);
  };
  await Promise.all([send(1), send(2)]);
  await receiver.waitFor(2);

  const { page, faults } = await openPage(browser);
  // The stack is shared: which of all accounts the form names depends on how many others there are.
  await signIn(page, `${stack.baseUrl}/console/events?source=instance:${id}`, stack.local);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("Live", { exact: true }).waitFor();
  const rows = page.locator("tr[data-key]");
  await expect.poll(() => rows.count()).toBe(2);
  await pictures(page, "events-of-a-source");

  // The focus stays where it is while rows come in.
  const typed = page.getByLabel("Text in the data");
  await typed.fill("order");
  await Promise.all(Array.from({ length: 60 }, (_, n) => send(n + 3)));
  await expect.poll(() => rows.count(), { timeout: WAIT_MS }).toBe(50);
  expect(await page.evaluate("document.activeElement.name")).toBe("text");
  expect(await typed.inputValue()).toBe("order");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused").waitFor();

  await typed.fill("ORDER <2>");
  await page.getByRole("button", { name: "Search" }).click();
  await expect.poll(() => rows.count()).toBe(1);
  await page.getByRole("link", { name: /created issues 2/i }).click();
  await page.getByRole("heading", { name: /created issues 2/i }).waitFor();
  await page.getByRole("heading", { name: "What the vendor sent" }).waitFor();
  await pictures(page, "event");
  const before = receiver.deliveries.length;
  await page.getByRole("button", { name: "Resend" }).click();
  await page.getByText("On its way again").waitFor();
  await receiver.waitFor((deliveries) => deliveries.length > before);
  await page.getByText(/webhook-signature by/).click();
  await page.getByText("Timestamp", { exact: true }).waitFor();
  await pictures(page, "notification-proved");

  await page.goto(`${stack.baseUrl}/console/events?source=instance:${id}&from=nonsense`);
  await page.getByText("Expected an ISO 8601 instant, got 'nonsense'").waitFor();
  await page.getByText("Deliver again").click();
  await pictures(page, "events-with-a-fault");
  await page.goto(`${stack.baseUrl}/console/events`);
  await pictures(page, "events");
  expect(faults).toEqual([]);
  await page.close();
});
