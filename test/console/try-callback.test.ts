import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { elementsSignature } from "../../src/delivery/signature";
import { receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, openBrowser, signIn } from "./build";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});
afterEach(() => vi.unstubAllGlobals());

const FORM = "/console/connect/sandbox/test";
const CALLBACK = "http://127.0.0.1:9/tried";
const typed = (change: Record<string, string> = {}) => ({
  do: "send",
  name: "Tried",
  hears: "off",
  "c.event.notification.callback.url": CALLBACK,
  ...change,
});

it("a callback is tried before its instance is made, signed with the keys that were typed", async () => {
  const posts = receiver(
    () => new Response("<b>thanks</b>", { status: 202 }),
    ({ url }) => url === CALLBACK,
  );
  const key = "c.event.notification.signature.key";
  const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
  const { html, status } = await browser.post(
    FORM,
    typed({ [key]: "typed-key", "c.event.notification.webhook.secret": secret }),
  );
  expect([status, posts.length]).toEqual([200, 1]);
  const { headers, body } = posts[0]!;
  expect(JSON.parse(body)).toMatchObject({ type: "test" });
  expect(headers.get("elements-webhook-signature")).toBe(elementsSignature("typed-key", body));
  expect(headers.get("webhook-signature")).toMatch(/^v1,/);
  expect(html).toContain(">202<");
  expect(html).toMatch(/\d+ ms/);
  expect(html).toContain("&lt;b&gt;thanks&lt;/b&gt;");
  expect(html).not.toContain("typed-key");
  expect((await callV1("GET", "/destinations", own.authorization)).body.items).toEqual([]);
});

it.each<[string, Record<string, string>, string]>([
  ["nowhere", { "c.event.notification.callback.url": "" }, "Expected an address"],
  ["a private address", { "c.event.notification.callback.url": "http://10.0.0.1/x" }, "10.0.0.1"],
  [
    "a header that can't be sent",
    { other: '{"event.notification.callback.headers":"{\\"Host\\":\\"x\\"}"}' },
    "Host",
  ],
])("a test to %s is not sent, and the form says why", async (_, change, why) => {
  const posts = receiver(() => new Response("ok"));
  const { html, status } = await browser.post(FORM, typed(change));
  expect([status, posts.length]).toEqual([422, 0]);
  expect(html).toContain(why);
});

it("one member sends so many tests a minute, and a viewer none", async () => {
  receiver(() => new Response("ok"));
  const seen = new Set<number>();
  for (let n = 0; n < 12; n += 1) seen.add((await browser.post(FORM, typed())).status);
  expect(seen).toEqual(new Set([200, 422]));
  const { body } = await callV1("POST", "/members", own.authorization, {
    email: `${crypto.randomUUID()}@mine.example`,
    role: "viewer",
  });
  const viewer = openBrowser();
  await viewer.post(new URL(body.invitation).pathname, {
    password: "password-of-a-viewer",
  });
  expect((await viewer.post(FORM, typed())).status).toBe(403);
});
