import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { generateKeyPair, type JWTPayload } from "jose";
import { app } from "../../src/app";
import { type Issuer, openIssuer } from "../accounts/single-sign-on/issuer";
import { callV1 } from "../elements/build";
import { type Own, ownOrganization } from "../organization";
import { createAccounts, openBrowser, type Shown } from "./build";

const TEAM = "acme.cloudflareaccess.com";
const AUDIENCE = "tag-of-the-application";

let access: Issuer;
let provider: Issuer;
let own: Own;
let bindings: Env;

beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  access = await openIssuer(`https://${TEAM}`, "/cdn-cgi/access/certs");
  provider = await openIssuer(`https://${crypto.randomUUID()}.example`, "/keys");
  vi.stubGlobal("fetch", async (input: URL | string, init?: RequestInit) => {
    const url = String(input);
    const issuer = [access, provider].find((one) => url.startsWith(`${one.issuer}/`));
    return issuer?.answer(url, init) ?? new Response("no such host", { status: 530 });
  });
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  // In the past, so that nothing of it is yet to come for other files.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 6 * 3_600_000 });
  bindings = settings();
});
afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const settings = (issuer = provider.issuer): Env & { MEMBER_SIGN_IN: string } => ({
  ...env,
  MEMBER_SIGN_IN: JSON.stringify({
    access: { team: TEAM, audience: AUDIENCE },
    oidc: { issuer, clientId: provider.client.id, clientSecret: provider.client.secret },
    organizationId: own.id,
    roles: { "chief@acme.example": "owner", "@acme.example": "editor" },
  }),
});

const visit = (settingsOf = () => bindings) =>
  openBrowser(async (url, init) => {
    const context = createExecutionContext();
    const answer = await app.fetch(new Request(url, init), settingsOf(), context);
    await waitOnExecutionContext(context);
    return answer;
  });

const seconds = () => Math.floor(Date.now() / 1000);
let people = 0;
const freshEmail = () => `person-${(people += 1)}-${crypto.randomUUID()}@acme.example`;

/** What Access says of somebody; `nonce` and the like are the provider's. */
const claims = (change: JWTPayload = {}): JWTPayload => ({
  iss: access.issuer,
  aud: [AUDIENCE],
  email: freshEmail(),
  iat: seconds(),
  exp: seconds() + 600,
  sub: "u",
  ...change,
});

const withAccess = async (token: string) => {
  const browser = visit();
  const headers = {
    origin: "https://tributary.example",
    "cf-access-jwt-assertion": token,
  };
  const answer = await browser.post("/console/sign-in/access", { next: "/console" }, headers);
  return { browser, answer, isIn: (await browser.get("/console")).status === 200 };
};

/** Goes to the provider and comes back with a token of these claims, changed by `change` for the nonce it was given. */
async function withProvider(
  change: (nonce: string) => JWTPayload = () => ({}),
  sign: (payload: JWTPayload) => Promise<string> = (payload) => provider.sign(payload),
) {
  const browser = visit();
  const { location } = await browser.get("/console/sign-in/oidc?next=%2Fconsole%2Fdestinations");
  const nonce = new URL(location ?? "").searchParams.get("nonce") ?? "";
  const payload = claims({
    iss: provider.issuer,
    aud: provider.client.id,
    email_verified: true,
    nonce,
    ...change(nonce),
  });
  const path = provider.authorize(location ?? "", await sign(payload));
  const answer = await browser.get(path);
  return { browser, answer, path, isIn: (await browser.get("/console")).status === 200 };
}

const memberOf = async (email: string) => {
  const { body } = await callV1("GET", "/members", own.authorization);
  return body.items.find((item: { email: string }) => item.email === email);
};

/** Neither `undefined` members nor those that a token lacks. */
const without = (name: string) => ({ [name]: undefined });

/** Ways in which a token is not one to believe; `by` signs it. */
const REFUSED: [string, JWTPayload, ((payload: JWTPayload, of: Issuer) => Promise<string>)?][] = [
  ["of another issuer", { iss: "https://evil.example" }],
  ["of an issuer that begins alike", { iss: `https://${TEAM}.evil.example` }],
  ["without an issuer", without("iss")],
  ["for another audience", { aud: "another" }],
  ["for a list of other audiences", { aud: ["another", "third"] }],
  ["without an audience", without("aud")],
  ["that is over", { exp: Math.floor(Date.now() / 1000) - 86_400 }],
  ["without an end", without("exp")],
  ["not good yet", { nbf: Math.floor(Date.now() / 1000) + 86_400 }],
  ["without an e-mail address", without("email")],
  ["with what is no e-mail address", { email: "ada" }],
  ["whose address is not verified", { email_verified: false }],
  ["whose address is said not to be verified", { email_verified: "false" }],
  ["of a stranger's address", { email: "eve@evil.example" }],
  [
    "without a signature",
    {},
    async (payload) =>
      [{ alg: "none" }, payload]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".")
        .concat("."),
  ],
  [
    "signed with the public key as a shared one",
    {},
    async (payload, of) =>
      of.sign(payload, { alg: "HS256", key: new TextEncoder().encode(await of.publicPem()) }),
  ],
  [
    "signed with another key of the same id",
    {},
    async (payload, of) => of.sign(payload, { key: (await generateKeyPair("RS256")).privateKey }),
  ],
  [
    "changed after it was signed",
    {},
    async (payload, of) => {
      const [head, , signature] = (await of.sign(payload)).split(".");
      const body = Buffer.from(JSON.stringify({ ...payload, email: "chief@acme.example" }));
      return [head, body.toString("base64url"), signature].join(".");
    },
  ],
  ["that is no token", {}, async () => "nonsense"],
];

describe("Cloudflare Access", () => {
  it("is offered where it let the browser through, and makes a member with the role of the address", async () => {
    const email = freshEmail();
    const token = await access.sign(claims({ email: email.toUpperCase() }));
    const form = await visit().get("/console/sign-in", { "cf-access-jwt-assertion": token });
    expect(form.html).toContain('action="/console/sign-in/access"');
    expect((await visit().get("/console/sign-in")).html).not.toContain("/console/sign-in/access");
    const { answer, isIn } = await withAccess(token);
    expect(answer).toMatchObject({ status: 303, location: "/console" });
    expect(isIn).toBe(true);
    const member = await memberOf(email);
    expect(member).toMatchObject({ role: "editor", state: "active" });
    const { body } = await callV1("GET", "/audit?action=member.join", own.authorization);
    expect(body.items[0]).toMatchObject({ actor: `member:${member.id}`, target: member.id });
    const again = await withAccess(await access.sign(claims({ email })));
    expect(again.isIn).toBe(true);
    const entries = await callV1("GET", "/audit?action=member.join", own.authorization);
    expect(entries.body.items.length).toBe(body.items.length);
  });

  it.each(REFUSED)("refuses a token %s", async (_, change, by) => {
    const payload = claims(change);
    const token = await (by === undefined ? access.sign(payload) : by(payload, access));
    const { answer, isIn, browser } = await withAccess(token);
    expect({ status: answer.status, isIn }).toEqual({ status: 401, isIn: false });
    expect(browser.cookies.size).toBe(0);
  });

  it("is found nowhere unless it is set up", async () => {
    const token = await access.sign(claims());
    const browser = openBrowser();
    const headers = { origin: "https://tributary.example", "cf-access-jwt-assertion": token };
    expect((await browser.post("/console/sign-in/access", {}, headers)).status).toBe(404);
    for (const path of ["/console/sign-in/oidc", "/console/sign-in/oidc/back?code=1&state=1"])
      expect((await browser.get(path)).status).toBe(404);
  });
});

describe("an OpenID provider", () => {
  it("is asked for a code, bound by state, nonce and PKCE, and signs in whoever it vouches for", async () => {
    const browser = visit();
    const begun = await browser.get("/console/sign-in/oidc");
    const url = new URL(begun.location ?? "");
    expect(`${url.origin}${url.pathname}`).toBe(provider.metadata.authorization_endpoint);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: "code",
      client_id: provider.client.id,
      redirect_uri: "https://tributary.example/console/sign-in/oidc/back",
      scope: "openid email",
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    expect(begun.headers.getSetCookie()[0]).toMatch(/HttpOnly; Secure; SameSite=Lax$/);
    const { answer, isIn } = await withProvider();
    expect(answer.status).toBe(200);
    // A page of our own goes on: cookies of `SameSite=Strict` don't come along from the provider's site.
    expect(answer.html).toContain('content="0; url=/console/destinations"');
    expect(isIn).toBe(true);
  });

  it.each([
    ...REFUSED,
    ["whose address nobody verified", without("email_verified")],
    ["of another sign-in", { nonce: "another" }],
    ["without a nonce", without("nonce")],
    ["for another party", { azp: "another" }],
  ] as typeof REFUSED)("is not believed with a token %s", async (_, change, by) => {
    const sign = (payload: JWTPayload) =>
      by === undefined ? provider.sign(payload) : by(payload, provider);
    const { answer, isIn } = await withProvider(() => change, sign);
    expect({ status: answer.status, isIn }).toEqual({ status: 401, isIn: false });
  });

  it("takes a text for verified, and several audiences when it is the party", async () => {
    const aud = () => [provider.client.id, "another"];
    const azp = () => provider.client.id;
    expect((await withProvider(() => ({ email_verified: "true" }))).isIn).toBe(true);
    expect((await withProvider(() => ({ aud: aud(), azp: azp() }))).isIn).toBe(true);
    expect((await withProvider(() => ({ aud: aud() }))).isIn).toBe(false);
  });

  it("signs nobody in with an answer that this browser didn't ask for, or asked for before", async () => {
    const { path, browser } = await withProvider();
    const refusedAs = async (shown: Promise<Shown>) => (await shown).status;
    expect(await refusedAs(browser.get(path))).toBe(401);
    expect(await refusedAs(visit().get(path))).toBe(401);
    const other = visit();
    const { location } = await other.get("/console/sign-in/oidc");
    const cookies = new Map(other.cookies);
    const token = await provider.sign(claims());
    const back = provider.authorize(location ?? "", token);
    expect(await refusedAs(other.get(back.replace(/state=[^&]*/, "state=another")))).toBe(401);
    expect(other.cookies.size).toBe(0);
    for (const [name, value] of cookies) other.cookies.set(name, value);
    vi.setSystemTime(Date.now() + 600_000);
    expect(await refusedAs(other.get(back))).toBe(401);
    const eager = visit();
    const toProvider = (await eager.get("/console/sign-in/oidc")).location ?? "";
    const state = new URL(toProvider).searchParams.get("state");
    expect(
      await refusedAs(eager.get(`/console/sign-in/oidc/back?code=made-up&state=${state}`)),
    ).toBe(401);
    expect(await refusedAs(visit().get("/console/sign-in/oidc/back?error=access_denied"))).toBe(
      401,
    );
  });

  it("is read again for keys that are new, and not for every key id that somebody makes up", async () => {
    await provider.rotate();
    vi.setSystemTime(Date.now() + 31_000);
    expect((await withProvider()).isIn).toBe(true);
    const before = provider.reads();
    for (let tries = 0; tries < 5; tries += 1) {
      const made = (payload: JWTPayload) => provider.sign(payload, { kid: crypto.randomUUID() });
      expect((await withProvider(undefined, made)).isIn).toBe(false);
    }
    expect(provider.reads()).toBe(before);
    vi.setSystemTime(Date.now() + 31_000);
    await provider.rotate("ES256");
    const signed = (payload: JWTPayload) => provider.sign(payload, { alg: "ES256" });
    expect((await withProvider(undefined, signed)).isIn).toBe(true);
    expect(provider.reads()).toBe(before + 1);
    await provider.rotate();
    vi.setSystemTime(Date.now() + 31_000);
  });

  it("that is down, or speaks for somebody else, is said to be so", async () => {
    const lying = settings(`${provider.issuer}/tenant`);
    expect((await visit(() => lying).get("/console/sign-in/oidc")).status).toBe(502);
    const browser = visit();
    const { location } = await browser.get("/console/sign-in/oidc");
    provider.goDown(true);
    const answer = await browser.get(provider.authorize(location ?? "", "x"));
    provider.goDown(false);
    expect(answer.status).toBe(502);
    expect(answer.html).toContain("gave no answer that can be used");
  });
});

describe("who is signed in so", () => {
  const signedIn = async (email: string) => withAccess(await access.sign(claims({ email })));

  it("keeps the role that owners gave them, and joins with that of an invitation", async () => {
    const [email, guest] = [freshEmail(), `guest-${crypto.randomUUID()}@elsewhere.example`];
    await signedIn(email);
    const { id } = await memberOf(email);
    await callV1("PATCH", `/members/${id}`, own.authorization, { role: "viewer" });
    expect((await signedIn(email)).isIn).toBe(true);
    expect((await memberOf(email)).role).toBe("viewer");
    expect((await signedIn(guest)).isIn).toBe(false);
    await callV1("POST", "/members", own.authorization, { email: guest, role: "viewer" });
    expect((await signedIn(guest)).isIn).toBe(true);
    expect(await memberOf(guest)).toMatchObject({ role: "viewer", state: "active" });
  });

  it("has no password until they set one by a link", async () => {
    const email = freshEmail();
    await signedIn(email);
    for (const password of ["", "none", "password"])
      expect((await openBrowser().post("/console/sign-in", { email, password })).status).toBe(401);
    const { id } = await memberOf(email);
    const { body } = await callV1("POST", `/members/${id}/password-reset`, own.authorization);
    const browser = openBrowser();
    await browser.post(new URL(body.link).pathname, { password: "quite a good one" });
    expect((await browser.get("/console")).status).toBe(200);
  });

  it("changes nothing of how they sign in elsewhere, though they know the password", async () => {
    const email = freshEmail();
    await signedIn(email);
    const { id } = await memberOf(email);
    const { body } = await callV1("POST", `/members/${id}/password-reset`, own.authorization);
    const password = "quite a good one";
    await openBrowser().post(new URL(body.link).pathname, { password });
    const { browser } = await signedIn(email);
    for (const path of [
      "/console/password",
      "/console/two-step",
      "/console/two-step/off",
      "/console/passkeys/new",
      "/console/passkeys/1/remove",
    ]) {
      const answer = await browser.post(path, { present: password, password: "another good one" });
      expect({ path, status: answer.status }).toEqual({ path, status: 400 });
      expect(answer.html).toContain("You are here by single sign-on");
    }
    const byPassword = openBrowser();
    await byPassword.post("/console/sign-in", { email, password });
    expect((await byPassword.post("/console/two-step", { present: password })).status).toBe(303);
  });

  it("gets into this organization alone, whatever others they belong to", async () => {
    const other = await ownOrganization();
    const email = other.email.replace(/@.*/, `-${crypto.randomUUID()}@acme.example`);
    const { body } = await callV1("POST", "/members", other.authorization, {
      email,
      role: "owner",
    });
    const before = await signedIn(email);
    expect(before.isIn).toBe(true);
    const { pathname } = new URL(body.invitation);
    // Another organization's invitation is not taken on this one's word.
    await before.browser.post(pathname);
    const joined = "SELECT joined_at FROM memberships WHERE organization_id = ?";
    const state = env.DB.prepare(`${joined} AND member_id = ?`);
    expect(await state.bind(other.id, body.id).first("joined_at")).toBeNull();
    await env.DB.prepare(
      "UPDATE memberships SET joined_at = 1 WHERE organization_id = ? AND member_id = ?",
    )
      .bind(other.id, body.id)
      .run();
    const { browser } = await signedIn(email);
    expect((await browser.post(`/console/organizations/${other.id}/switch`)).status).toBe(404);
  });
});
