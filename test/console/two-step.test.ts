import { env } from "cloudflare:workers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { callV1, THEIRS } from "../elements/build";
import { type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, openBrowser, signIn } from "./build";
import { beginTwoStep, codeOf, setUpTwoStep } from "./two-step";

const STEP_MS = 30_000;

beforeAll(async () => {
  await createAccounts();
  // In the past, so that nothing of it is yet to come for other files.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 12 * 3_600_000 });
});
afterAll(() => vi.useRealTimers());
/** No code of a test is one that another test used. */
beforeEach(() => pass(10 * STEP_MS));

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

let own: Own;
/** An owner whose sign-in asks for codes; the code of this moment is used up. */
async function owner() {
  own = await ownOrganization();
  const browser = await signIn(own.email, own.password);
  return { browser, ...(await setUpTwoStep(browser, own.password)) };
}

/** Gives the password; the browser then is asked for a code. */
async function password(next = "/console"): Promise<Browser> {
  const browser = openBrowser();
  const { email } = own;
  const answer = await browser.post("/console/sign-in", { email, password: own.password, next });
  expect(answer.location).toBe(`/console/sign-in/code?next=${encodeURIComponent(next)}`);
  return browser;
}
const giveCode = (browser: Browser, code: string, next = "/console") =>
  browser.post("/console/sign-in/code", { code, next });

const isIn = async (browser: Browser) => (await browser.get("/console")).status === 200;

describe("setting up an authenticator app", () => {
  it("takes the password, and a code of the app before anything is asked for", async () => {
    own = await ownOrganization();
    const browser = await signIn(own.email, own.password);
    const refused = await browser.post("/console/two-step", { present: "nonsense" });
    expect(refused).toMatchObject({ status: 400 });
    const secret = await beginTwoStep(browser, own.password);
    const page = await browser.get("/console/two-step");
    expect(page.html).toContain("<svg");
    expect(page.html).toContain(`secret=${secret}`);
    const wrong = await browser.post("/console/two-step/confirm", { code: "000000" });
    expect(wrong.status).toBe(400);
    expect(await isIn(await signIn(own.email, own.password))).toBe(true);
    const { status } = await browser.post("/console/two-step/confirm", {
      code: codeOf(secret, Date.now()),
    });
    expect(status).toBe(200);
    expect(await isIn(await password())).toBe(false);
  });

  it("keeps the secret sealed and the recovery codes as digests", async () => {
    const { secret, recoveryCodes } = await owner();
    expect(recoveryCodes).toHaveLength(10);
    expect(new Set(recoveryCodes).size).toBe(10);
    const rows = await Promise.all(
      ["member_totp", "member_recovery_codes"].map((name) =>
        env.DB.prepare(`SELECT * FROM ${name}`).all(),
      ),
    );
    const stored = JSON.stringify(rows.map(({ results }) => results)).toLowerCase();
    expect(stored).not.toContain(secret.toLowerCase());
    for (const code of recoveryCodes) expect(stored).not.toContain(code.replaceAll("-", ""));
  });

  it("can't replace an app that is in use", async () => {
    const { browser, secret } = await owner();
    await browser.post("/console/two-step", { present: own.password });
    expect((await browser.get("/console/two-step")).html).toContain("Switch off");
    pass(STEP_MS);
    const asked = await password();
    expect((await giveCode(asked, codeOf(secret, Date.now()))).location).toBe("/console");
  });
});

describe("signing in with a second step", () => {
  it("opens nothing before the code is given, and goes where it was meant to", async () => {
    const { secret } = await owner();
    pass(STEP_MS);
    const browser = await password("/console/destinations");
    expect(await isIn(browser)).toBe(false);
    expect((await browser.get("/console/sign-in/code")).html).toContain("One more step");
    const code = codeOf(secret, Date.now());
    const there = "/console/destinations";
    expect(await giveCode(browser, code, there)).toMatchObject({ status: 303, location: there });
    expect(await isIn(browser)).toBe(true);
  });

  it.each([
    ["of this moment", 0, true],
    ["of the step before", -1, true],
    ["of the step to come", 1, true],
    ["of two steps before", -2, false],
    ["of two steps to come", 2, false],
  ])("takes a code %s: %i steps, %s", async (_, steps, accepted) => {
    const { secret } = await owner();
    pass(5 * STEP_MS);
    const browser = await password();
    await giveCode(browser, codeOf(secret, Date.now() + steps * STEP_MS));
    expect(await isIn(browser)).toBe(accepted);
  });

  it("takes a code once, whoever gives it, and none from before it", async () => {
    const { secret } = await owner();
    // The code with which it was set up.
    expect((await giveCode(await password(), codeOf(secret, Date.now()))).status).toBe(401);
    pass(5 * STEP_MS);
    const codes = [0, -1].map((steps) => codeOf(secret, Date.now() + steps * STEP_MS));
    expect((await giveCode(await password(), codes[0] ?? "")).status).toBe(303);
    for (const code of codes) expect((await giveCode(await password(), code)).status).toBe(401);
    pass(5 * STEP_MS);
    const code = codeOf(secret, Date.now());
    const browsers = await Promise.all([password(), password(), password()]);
    const answers = await Promise.all(browsers.map((browser) => giveCode(browser, code)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 401, 401]);
  });

  it("takes each recovery code once, and says how many are left", async () => {
    const { recoveryCodes } = await owner();
    const typed = recoveryCodes[3]?.toUpperCase().replaceAll("-", " ") ?? "";
    const browser = await password();
    expect((await giveCode(browser, typed)).status).toBe(303);
    expect((await browser.get("/console")).html).toContain("9 are left");
    expect((await giveCode(await password(), typed)).status).toBe(401);
  });

  it("lets whoever guesses wait longer and longer, from wherever", async () => {
    const { secret } = await owner();
    pass(5 * STEP_MS);
    const right = codeOf(secret, Date.now());
    for (let tries = 0; tries < 5; tries += 1)
      expect((await giveCode(await password(), "000000")).status).toBe(401);
    const limited = await giveCode(await password(), right);
    expect(limited.status).toBe(429);
    expect(limited.headers.get("retry-after")).toBe("10");
    pass(10_000);
    expect((await giveCode(await password(), "000000")).status).toBe(401);
    expect((await giveCode(await password(), right)).headers.get("retry-after")).toBe("20");
    pass(20_000);
    const now = codeOf(secret, Date.now());
    expect((await giveCode(await password(), now)).status).toBe(303);
    pass(2 * STEP_MS);
    expect((await giveCode(await password(), "000000")).status).toBe(401);
  });

  it("counts for five minutes after the password, on that browser alone, and not after another one", async () => {
    const { secret, browser: signedIn } = await owner();
    pass(STEP_MS);
    const late = await password();
    pass(300_000);
    expect((await giveCode(late, codeOf(secret, Date.now()))).location).toBe("/console/sign-in");
    expect((await giveCode(openBrowser(), codeOf(secret, Date.now()))).location).toBe(
      "/console/sign-in",
    );
    const before = await password();
    await signedIn.post("/console/password", {
      present: own.password,
      password: "another one of mine",
    });
    expect((await giveCode(before, codeOf(secret, Date.now()))).location).toBe("/console/sign-in");
  });

  it("is asked for after a link to set another password, too", async () => {
    const { secret } = await owner();
    const { body } = await callV1("GET", "/members", own.authorization);
    const reset = `/members/${body.items[0].id}/password-reset`;
    const { link } = (await callV1("POST", reset, own.authorization)).body;
    const browser = openBrowser();
    const form = await browser.post(new URL(link).pathname, { password: "quite another one" });
    expect(form.location).toBe("/console/sign-in/code?next=%2Fconsole");
    expect(await isIn(browser)).toBe(false);
    pass(STEP_MS);
    await giveCode(browser, codeOf(secret, Date.now()));
    expect(await isIn(browser)).toBe(true);
  });
});

describe("switching it off", () => {
  it("takes the password and a code, as new recovery codes do", async () => {
    const { browser, secret, recoveryCodes } = await owner();
    pass(5 * STEP_MS);
    const code = codeOf(secret, Date.now());
    for (const path of ["/console/two-step/recovery-codes", "/console/two-step/off"])
      for (const fields of [{ present: own.password, code: "000000" }, { code, present: "x" }, {}])
        expect((await browser.post(path, fields)).status).toBe(400);
    const renewed = await browser.post("/console/two-step/recovery-codes", {
      present: own.password,
      code,
    });
    expect(renewed.html.match(/<li>/g)).toHaveLength(10);
    expect((await giveCode(await password(), recoveryCodes[0] ?? "")).status).toBe(401);
    const [, fresh = ""] = /<li>([a-z2-7-]{19})/.exec(renewed.html) ?? [];
    const off = await browser.post("/console/two-step/off", { present: own.password, code: fresh });
    expect(off.location).toBe("/console/security");
    expect(await isIn(await signIn(own.email, own.password))).toBe(true);
  });

  it("is an owner's to do for a colleague, and no other organization's", async () => {
    await owner();
    const { body } = await callV1("GET", "/members", own.authorization);
    const path = `/members/${body.items[0].id}/two-step`;
    expect((await callV1("DELETE", path, THEIRS)).status).toBe(404);
    await password();
    expect(await callV1("DELETE", path, own.authorization)).toMatchObject({
      status: 200,
      body: { id: body.items[0].id, twoStep: false },
    });
    expect(await isIn(await signIn(own.email, own.password))).toBe(true);
    const rows = env.DB.prepare(
      "SELECT count(*) AS n FROM member_recovery_codes WHERE member_id = ?",
    );
    expect(await rows.bind(body.items[0].id).first("n")).toBe(0);
  });
});
