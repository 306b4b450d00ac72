import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sparticuz from "@sparticuz/chromium";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { WAIT_MS } from "../patience.ts";

/** What tests of the console share: a real browser, somebody who has signed in, and pictures. */

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };

export async function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: await sparticuz.executablePath(),
    // In a single process, the first page that closes takes the browser with it.
    args: [...sparticuz.args.filter((arg) => arg !== "--single-process"), "--no-sandbox"],
    headless: true,
  });
}

/** A page of a visitor of their own, and what goes wrong in it; that it is answered with a 4xx is nothing wrong. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage({ viewport: WIDE, ...options });
  page.setDefaultTimeout(WAIT_MS);
  const faults: string[] = [];
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !text.startsWith("Failed to load resource"))
      faults.push(text);
  });
  page.on("pageerror", (error) => faults.push(error.message));
  return { page, faults };
}

/** Goes to a page of the console by way of the sign-in. */
export async function signIn(
  page: Page,
  address: string,
  { email, password }: { email: string; password: string },
): Promise<void> {
  await page.goto(address);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  // What stands in a query may come back escaped.
  await page.waitForURL((url) => decodeURIComponent(url.href) === decodeURIComponent(address));
}

/** With `SCREENSHOTS`, the page as pictures in that folder: wide and narrow, light and dark. It fits both widths. */
export async function pictures(page: Page, name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS"];
  for (const viewport of [NARROW, WIDE]) {
    await page.setViewportSize(viewport);
    const fits = await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth");
    expect({ name, viewport, fits }).toEqual({ name, viewport, fits: true });
    if (folder === undefined) continue;
    mkdirSync(folder, { recursive: true });
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      const path = join(folder, `${name}-${viewport.width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
}
