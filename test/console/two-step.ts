import { Secret, TOTP } from "otpauth";
import type { Browser } from "./build";

/** The code that an authenticator app shows at an instant. */
export const codeOf = (secret: string, now: number): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: now });

/** Begins to set up an app; its secret, as the page shows it. */
export async function beginTwoStep(browser: Browser, password: string): Promise<string> {
  await browser.post("/console/two-step", { present: password });
  const { html } = await browser.get("/console/two-step");
  return /<code>([A-Z2-7 ]+)<\/code>/.exec(html)?.[1]?.replaceAll(" ", "") ?? "";
}

/** Sets up an app, whose code of this moment is used up by that. */
export async function setUpTwoStep(
  browser: Browser,
  password: string,
): Promise<{ secret: string; recoveryCodes: string[] }> {
  const secret = await beginTwoStep(browser, password);
  const code = codeOf(secret, Date.now());
  const { html } = await browser.post("/console/two-step/confirm", { code });
  const recoveryCodes = [...html.matchAll(/<li>([a-z2-7-]{19})<\/li>/g)].map(([, one = ""]) => one);
  return { secret, recoveryCodes };
}
