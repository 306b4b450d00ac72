import { env } from "cloudflare:workers";
import { type Browser, openBrowser } from "../console/build";
import { eventually } from "../delivery/build";
import { draft, MINE, THEIRS } from "../elements/build";
import { FIRST } from "../organization";
import { commit, event, target } from "../stream/build";
import { ask } from "./ask";
import { formTokenIn, type World } from "./things";

/** Things are made in this runtime; what goes out is stubbed by whoever makes them. */
export const WORLD: World = {
  ask,
  mine: MINE,
  theirs: THEIRS,
  apiKey: FIRST.apiKey,
  owner: { email: FIRST.email, password: FIRST.password },
  draft,
  refusing: "http://127.0.0.1:9/refused",
  async notify({ id }) {
    const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
    const targets = [target({ destinationId: `instance-${id}`, most: 1 })];
    await stream.commit(commit({ targets, events: [event(crypto.randomUUID())] }));
    const [view] = await stream.notifications({ before: null, limit: 1, withEvents: false });
    return view?.id ?? "";
  },
  async enter(link) {
    const browser = openBrowser();
    const html = await pageAfter(browser, new URL(link).pathname);
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return { cookie, formToken: formTokenIn(html) };
  },
  async accept(invitation, password) {
    await openBrowser().post(new URL(invitation).pathname, { password });
  },
  eventually,
};

/** The page that a way through redirects ends at. */
async function pageAfter(browser: Browser, path: string): Promise<string> {
  const { html, location } = await browser.get(path);
  return location === null ? html : pageAfter(browser, location);
}
