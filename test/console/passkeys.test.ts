import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { prepareChallengeExpiry } from "../../src/accounts/passkeys/store";
import {
  type Authenticator,
  type Fault,
  openAuthenticator,
} from "../accounts/passkeys/authenticator";
import { callV1, THEIRS } from "../elements/build";
import { type Own, ownOrganization } from "../organization";
import { createAccounts, openBrowser, signIn } from "./build";
import { type Asked, ORIGIN, toMake, toSignIn } from "./passkeys";
import { setUpTwoStep } from "./two-step";

beforeAll(async () => {
  await createAccounts();
  // In the past, so that nothing of it is yet to come for other files.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 6 * 3_600_000 });
  vi.stubGlobal("fetch", () => {
    throw new Error("Nothing is fetched here");
  });
});
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A member with a passkey. */
async function enrolled(options: { counts?: boolean } = {}) {
  const own = await ownOrganization();
  const browser = await signIn(own.email, own.password);
  const authenticator = await openAuthenticator(ORIGIN, options);
  const asked = await toMake(browser, own.password);
  const credential = await authenticator.create(asked.options);
  const made = await browser.post("/console/passkeys", {
    name: "Laptop",
    state: asked.state,
    credential,
  });
  expect(made.location).toBe("/console/passkeys");
  return { own, browser, authenticator };
}

let first: ReturnType<typeof enrolled> | undefined;
/** One for all whose answers are refused. */
const shared = () => (first ??= enrolled());

async function giveAnswer(state: string, credential: string) {
  const browser = openBrowser();
  const next = "/console/destinations";
  const answer = await browser.post("/console/sign-in/passkey", { state, credential, next });
  return { browser, answer, isIn: (await browser.get("/console")).status === 200 };
}

async function use(authenticator: Authenticator, fault?: Fault) {
  const { options, state } = await toSignIn();
  return giveAnswer(state, await authenticator.get(options, fault));
}

const idOf = async (own: Own): Promise<string> =>
  (await callV1("GET", "/members", own.authorization)).body.items[0].id;

describe("a passkey", () => {
  it("is made by a member who gives their password, and is named, listed and removed", async () => {
    const { own, browser, authenticator } = await enrolled();
    const page = await browser.get("/console/passkeys");
    expect(page.html).toContain("Laptop");
    expect((await browser.get("/console/security")).html).toContain("1 in use");
    const refused = await browser.post("/console/passkeys/new", { present: "nonsense" });
    expect(refused.status).toBe(400);
    expect(refused.html).not.toContain("data-options");
    const { answer, isIn } = await use(authenticator);
    expect(answer).toMatchObject({ status: 303, location: "/console/destinations" });
    expect(isIn).toBe(true);
    const [, path = ""] = /action="(\/console\/passkeys\/[\w-]+\/remove)"/.exec(page.html) ?? [];
    const other = await ownOrganization();
    await (await signIn(other.email, other.password)).post(path);
    expect((await use(authenticator)).isIn).toBe(true);
    await browser.post(path);
    expect(await use(authenticator)).toMatchObject({ answer: { status: 401 }, isIn: false });
    const { body } = await callV1("GET", "/audit", own.authorization);
    const [, id] = path.split("/passkeys/");
    const target = id?.replace("/remove", "");
    expect(body.items.slice(0, 2)).toMatchObject([
      { action: "passkey.delete", target },
      { action: "passkey.create", target },
    ]);
  });

  it("is asked to verify its owner, for this host, without certificates", async () => {
    const { own, browser } = await shared();
    expect((await toMake(browser, own.password)).options).toMatchObject({
      rp: { id: "tributary.example" },
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      attestation: "none",
    });
    expect((await toSignIn()).options).toMatchObject({
      rpId: "tributary.example",
      userVerification: "required",
      challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  it("takes the place of the password and of the code", async () => {
    const { own, browser, authenticator } = await enrolled();
    await setUpTwoStep(browser, own.password);
    expect((await use(authenticator)).isIn).toBe(true);
  });

  it("stays hidden, and out of the way, where no script runs", async () => {
    const form = await openBrowser().get("/console/sign-in");
    expect(form.html).toMatch(/data-passkey="get"[^>]* hidden/);
    const [, nonce] =
      /script-src 'nonce-([^']+)'/.exec(form.headers.get("content-security-policy") ?? "") ?? [];
    expect(form.html).toContain(`<script nonce="${nonce}">`);
  });
});

/** CBOR of `{"x5c": [h'00']}`, and of lists within lists. */
const CERTIFIED = [0xa1, 0x63, 0x78, 0x35, 0x63, 0x81, 0x41, 0x00];
const DEEP = Array.from({ length: 4_000 }, () => 0x81).concat(0x00);

describe("a new key is not taken", () => {
  it.each<[string, Fault]>([
    ["of another origin", { origin: "https://evil.example" }],
    ["of another port of ours", { origin: `${ORIGIN}:8443` }],
    ["of plain http", { origin: "http://tributary.example" }],
    ["for another host", { rpId: "evil.example" }],
    ["for the domain above", { rpId: "example" }],
    ["for another challenge", { challenge: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }],
    ["that is the use of one", { type: "webauthn.get" }],
    ["whose owner was not verified", { flags: 0x41 }],
    ["whose owner was not there", { flags: 0x44 }],
    ["without its data", { flags: 0x05 }],
    ["of a format that names certificates", { format: "fido-u2f", statement: CERTIFIED }],
    ["that is packed with certificates", { format: "packed", statement: CERTIFIED }],
    ["of an unknown format", { format: "nonsense" }],
    ["with deep data", { statement: DEEP }],
  ])("%s", async (_, fault) => {
    const { own, browser } = await shared();
    const authenticator = await openAuthenticator(ORIGIN);
    const { options, state } = await toMake(browser, own.password);
    const credential = await authenticator.create(options, fault);
    const made = await browser.post("/console/passkeys", { state, credential });
    expect(made.status).toBe(400);
    expect((await use(authenticator)).isIn).toBe(false);
  });

  it("twice, late, for another member, or by a challenge of the sign-in", async () => {
    const { own, browser, authenticator } = await enrolled();
    const take = async (asked: Asked, by = browser, key?: Authenticator) => {
      const credential = await (key ?? (await openAuthenticator(ORIGIN))).create(asked.options);
      return (await by.post("/console/passkeys", { state: asked.state, credential })).status;
    };
    const asked = await toMake(browser, own.password);
    expect(await take(asked)).toBe(303);
    expect(await take(asked)).toBe(400);
    const other = await ownOrganization();
    const stranger = await signIn(other.email, other.password);
    expect(await take(await toMake(browser, own.password), stranger)).toBe(400);
    expect(await take(await toSignIn())).toBe(400);
    // A key that another member has.
    expect(await take(await toMake(stranger, other.password), stranger, authenticator)).toBe(400);
    const late = await toMake(browser, own.password);
    vi.setSystemTime(Date.now() + 300_000);
    expect(await take(late)).toBe(400);
    for (const credential of ["", "{}", "null", "[", '{"id":"a","response":1}', "x".repeat(9_000)])
      expect((await browser.post("/console/passkeys", { state: "x", credential })).status).toBe(
        400,
      );
  });
});

describe("nobody signs in", () => {
  it.each<[string, Fault]>([
    ["from another origin", { origin: "https://evil.example" }],
    ["for another host", { rpId: "evil.example" }],
    ["with the answer to another challenge", { challenge: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }],
    ["with what makes a key", { type: "webauthn.create" }],
    ["whom the device did not verify", { flags: 0x01 }],
    ["who is not there", { flags: 0x04 }],
    ["with a signature of another key", { foreign: true }],
    ["in another member's name", { userHandle: Buffer.from("member 1").toString("base64url") }],
    ["with a count that went back", { counter: 1 }],
    ["with a count of none", { counter: 0 }],
  ])("%s", async (_, fault) => {
    const { authenticator } = await shared();
    expect((await use(authenticator)).isIn).toBe(true);
    const { answer, isIn } = await use(authenticator, fault);
    expect({ status: answer.status, isIn }).toEqual({ status: 401, isIn: false });
  });

  it("with an answer that was given before, is late, or to a challenge that is not of the sign-in", async () => {
    const { own, browser, authenticator } = await enrolled({ counts: false });
    const { options, state } = await toSignIn();
    const credential = await authenticator.get(options);
    const all = await Promise.all([1, 2, 3].map(() => giveAnswer(state, credential)));
    expect(all.filter(({ isIn }) => isIn)).toHaveLength(1);
    // A key that doesn't count, as those that are synchronised, goes on without.
    expect((await use(authenticator)).isIn).toBe(true);
    const late = await toSignIn();
    const answer = await authenticator.get(late.options);
    const own2 = await toMake(browser, own.password);
    const other = await authenticator.get({ ...late.options, challenge: own2.options.challenge });
    expect((await giveAnswer(own2.state, other)).isIn).toBe(false);
    vi.setSystemTime(Date.now() + 300_000);
    expect((await giveAnswer(late.state, answer)).isIn).toBe(false);
    expect((await giveAnswer("made.up", answer)).isIn).toBe(false);
  });

  it("with a key that nobody has, or that an owner removed for a colleague", async () => {
    expect((await use(await openAuthenticator(ORIGIN))).answer.status).toBe(401);
    const { own, authenticator } = await enrolled();
    const path = `/members/${await idOf(own)}/passkeys`;
    expect((await callV1("DELETE", path, THEIRS)).status).toBe(404);
    expect((await use(authenticator)).isIn).toBe(true);
    expect(await callV1("DELETE", path, own.authorization)).toMatchObject({
      status: 200,
      body: { id: await idOf(own), removed: 1 },
    });
    expect((await use(authenticator)).isIn).toBe(false);
  });

  it("for whom a challenge is kept any longer than it is good", async () => {
    const { authenticator } = await shared();
    await use(authenticator);
    const now = Date.now();
    const left = () =>
      env.DB.prepare(
        "SELECT count(*) AS n FROM used_challenges WHERE expires_at BETWEEN ?1 AND ?1 + 300000",
      )
        .bind(now)
        .first<number>("n");
    await prepareChallengeExpiry(env.DB, now, 1000).run();
    expect(await left()).toBeGreaterThan(0);
    await prepareChallengeExpiry(env.DB, now + 300_000, 1000).run();
    expect(await left()).toBe(0);
  });
});
