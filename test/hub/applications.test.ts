import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Browser, createAccounts, signIn } from "../console/build";
import { call, callV1, stubOutside } from "../elements/build";
import { memberOf, type Own, ownOrganization } from "../organization";

const BACK = "https://tributary.example/console/connected";
const evil = `"><script>alert(1)</script>`;

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});
afterEach(() => vi.unstubAllGlobals());

const put = (connector: string, body: unknown, authorization = own.authorization) =>
  callV1("PUT", `/oauth-apps/${connector}`, authorization, body);
const connect = (members: object, authorization = own.authorization) =>
  call("POST", "/instances", { element: { key: "box" }, ...members }, authorization);
/** Answers token requests; what they were sent. */
const vendor = () =>
  stubOutside(() => Response.json({ access_token: "a", refresh_token: "r", expires_in: 3600 }));
const sentIn = (sent: ReturnType<typeof vendor>): string[] =>
  sent.map(({ text }) => {
    const form = new URLSearchParams(text);
    return [form.get("client_id"), form.get("client_secret"), form.get("redirect_uri")].join(" ");
  });

describe("an organization's OAuth application", () => {
  it("is stored sealed, told with its secret masked, kept by the mask, audited and removed", async () => {
    const { status, body } = await put("dropbox", { key: "id-1", secret: "secret-1" });
    const shown = { connector: "dropbox", key: "id-1", secret: "********", callbackUrl: BACK };
    expect({ status, body }).toEqual({
      status: 200,
      body: { ...shown, updatedAt: expect.any(String) },
    });
    const stored = async () =>
      (await env.DB.prepare("SELECT sealed FROM oauth_applications WHERE organization_id = ?")
        .bind(own.id)
        .first<string>("sealed")) ?? "";
    expect(await stored()).not.toContain("secret-1");
    await put("dropbox", { key: "id-2", secret: "********", callbackUrl: "https://a.example/b" });
    const { items } = (await callV1("GET", "/oauth-apps", own.authorization)).body;
    expect(items).toMatchObject([{ ...shown, key: "id-2", callbackUrl: "https://a.example/b" }]);
    const audit = (await callV1("GET", "/audit?action=oauth-app.update", own.authorization)).body;
    expect(audit.items[0]).toMatchObject({ target: "dropbox" });
    expect(JSON.stringify(audit)).not.toContain("secret-1");
    for (let time = 0; time < 2; time += 1)
      expect((await callV1("DELETE", "/oauth-apps/dropbox", own.authorization)).status).toBe(200);
    expect((await callV1("GET", "/oauth-apps", own.authorization)).body.items).toEqual([]);
  });

  it("is refused with all that is wrong, each named by its field", async () => {
    const { status, body } = await put("box", {
      key: "",
      callbackUrl: "javascript:alert(1)",
      x: 1,
    });
    expect(status).toBe(400);
    const fields = body.error.faults.map(({ field }: any) => field);
    expect(fields).toEqual(expect.arrayContaining(["key", "secret", "callbackUrl"]));
    expect((await put("box", { key: "k", secret: "********" })).body.error.field).toBe("secret");
    for (const connector of ["sandbox", "nothing"])
      expect((await put(connector, { key: "k", secret: "s" })).status).toBe(404);
  });

  it("is used by accounts without one of their own, anew when they consent again, by no other organization", async () => {
    const sent = vendor();
    await put("box", { key: "of-all", secret: "first" });
    const made = await connect({ providerData: { code: "c" } });
    expect(made.body).toMatchObject({
      valid: true,
      configuration: { "oauth.api.key": "********" },
    });
    const theirs = { "oauth.api.key": "their-id", "oauth.api.secret": "their-secret" };
    await connect({ configuration: theirs, providerData: { code: "c" } });
    await put("box", { key: "of-all", secret: "second" });
    const token = `${own.authorization}, Element ${made.body.token}`;
    await call("PATCH", "/instances", { providerData: { code: "d" } }, token);
    expect(sentIn(sent)).toEqual([
      `of-all first ${BACK}`,
      "their-id their-secret ",
      `of-all second ${BACK}`,
    ]);
    const other = await ownOrganization();
    expect((await connect({ providerData: { code: "c" } }, other.authorization)).status).toBe(400);
    const { body } = await call(
      "GET",
      "/elements/box/oauth/url/default",
      undefined,
      own.authorization,
    );
    expect(new URL(body.oauthUrl).searchParams.get("client_id")).toBe("of-all");
  });

  it("has its secret sent to no host that an account names", async () => {
    const sent = vendor();
    await put("box", { key: "of-all", secret: "not-for-them" });
    const configuration = { "oauth.base.url": "https://evil.example" };
    const { body } = await connect({ configuration, providerData: { code: "c" } });
    expect(body.message).toContain("evil.example");
    expect(sent).toEqual([]);
    const mine = { ...configuration, "oauth.api.key": "k", "oauth.api.secret": "s" };
    await connect({ configuration: mine, providerData: { code: "c" } });
    expect(sent).toHaveLength(1);
  });
});

describe("the page of OAuth applications", () => {
  const send = (path: string, fields: Record<string, string> = {}) =>
    browser.post(`/console/settings/oauth-apps/${path}`, {
      organization: String(own.id),
      ...fields,
    });

  it("sets one up, after which the gallery and the form ask for no key, and removes it", async () => {
    const wrong = await send("hubspot", { key: evil, callbackUrl: "nowhere" });
    expect(wrong.status).toBe(400);
    expect(wrong.html.match(/aria-invalid="true"/g)).toHaveLength(2);
    expect(wrong.html).not.toContain("<script>alert");
    const app = { key: "hub-id", secret: "hub-secret", callbackUrl: BACK };
    expect((await send("hubspot", app)).status).toBe(303);
    const page = (await browser.get("/console/settings/oauth-apps")).html;
    expect(page).toContain('value="hub-id"');
    expect(page).not.toContain("hub-secret");
    expect((await send("hubspot", { ...app, key: "hub-id-2", secret: "" })).status).toBe(303);
    expect((await browser.get("/console/connect")).html).toContain("needs no key");
    const form = (await browser.get("/console/connect/hubspot")).html;
    expect(form).toContain("no key is needed");
    expect(form).toContain("Use another application");
    await send("hubspot/remove");
    expect((await browser.get("/console/connect/hubspot")).html).not.toContain("no key is needed");
  });

  it("is for owners, also by direct posts", async () => {
    const email = `ed-${own.id}@apps.example`;
    await env.DB.batch(memberOf(own.id, { email, role: "editor", password: "password-of-ed" }));
    const editor = await signIn(email, "password-of-ed");
    const organization = String(own.id);
    expect((await editor.get("/console/settings/oauth-apps")).status).toBe(403);
    for (const path of ["box", "box/remove"]) {
      const to = `/console/settings/oauth-apps/${path}`;
      expect((await editor.post(to, { organization, key: "k", secret: "s" })).status).toBe(403);
    }
  });
});
