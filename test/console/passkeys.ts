import { openAuthenticator, type Options } from "../accounts/passkeys/authenticator";
import { type Browser, openBrowser, type Shown } from "./build";

export const ORIGIN = "https://tributary.example";

export type Asked = { options: Options; state: string };

/** What a page asks the browser for. */
function askedBy({ html }: Shown): Asked {
  const text = (pattern: RegExp) => (pattern.exec(html)?.[1] ?? "").replaceAll("&quot;", '"');
  return {
    options: JSON.parse(text(/data-options="([^"]*)"/) || "{}"),
    state: text(/name="state" value="([^"]*)"/),
  };
}

/** To make a key, which takes the password. */
export const toMake = async (browser: Browser, password: string): Promise<Asked> =>
  askedBy(await browser.post("/console/passkeys/new", { present: password }));
export const toSignIn = async (): Promise<Asked> =>
  askedBy(await openBrowser().get("/console/sign-in"));

/** The form with which a new authenticator's key is taken. */
export async function newPasskey(
  browser: Browser,
  password: string,
): Promise<{ name: string; state: string; credential: string }> {
  const { options, state } = await toMake(browser, password);
  const authenticator = await openAuthenticator(ORIGIN);
  return { name: "Laptop", state, credential: await authenticator.create(options) };
}
