import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { nextPage } from "../../src/console/session/next-page";
import { hashSecret } from "../../src/accounts/secret";
import { ownOrganization } from "../organization";
import { type Browser, createAccounts, openBrowser, signIn } from "./build";

beforeAll(createAccounts);

const COOKIE = "__Host-tributary_session";

describe("signing in", () => {
  it("sends whoever has not signed in to the form, and back to where they wanted to go", async () => {
    const browser = openBrowser();
    const next = "/console/destinations?after=12";
    const first = await browser.get(next);
    expect(first).toMatchObject({
      status: 303,
      location: `/console/sign-in?next=${encodeURIComponent(next)}`,
    });
    const form = await browser.get(first.location ?? "");
    expect(form.html).toContain(`name="next" value="${next}"`);
    const done = await browser.post("/console/sign-in", {
      email: "anna@mine.example",
      password: "password",
      next,
    });
    expect(done).toMatchObject({ status: 303, location: next });
    expect(done.headers.getSetCookie()[0]).toMatch(
      /^__Host-tributary_session=[\w-]{43}\..*; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect((await browser.get("/console/destinations")).status).toBe(200);
  });

  it.each([
    ["a wrong password", "anna@mine.example", "nonsense"],
    ["an unknown e-mail", "nobody@mine.example", "password"],
    ["no password", "anna@mine.example", ""],
  ])("refuses %s with the same words", async (_, email, password) => {
    const browser = openBrowser();
    const { status, html } = await browser.post("/console/sign-in", { email, password });
    expect(status).toBe(401);
    expect(html).toContain("This e-mail and password don&#39;t belong together.");
    expect(browser.cookies.size).toBe(0);
  });

  it("makes an address wait after ten failures for one account, and nobody else", async () => {
    const browser = openBrowser();
    const wrong = { email: "anna@mine.example", password: "nonsense" };
    for (let tries = 0; tries < 10; tries += 1) await browser.post("/console/sign-in", wrong);
    const right = { ...wrong, password: "password" };
    const { status, headers } = await browser.post("/console/sign-in", right);
    expect(status).toBe(429);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await openBrowser().post("/console/sign-in", right)).status).toBe(303);
  });

  it("refuses a cookie that somebody changed", async () => {
    const browser = await signIn("anna@mine.example");
    const cookie = browser.cookies.get(COOKIE) ?? "";
    browser.cookies.set(
      COOKIE,
      cookie.replace(/^./, (first) => (first === "A" ? "B" : "A")),
    );
    expect((await browser.get("/console")).status).toBe(303);
  });

  it("keeps its cookies over https from whoever else is on the domain, and names them plainly on http", async () => {
    const browser = await signIn("anna@mine.example");
    expect([...browser.cookies.keys()]).toEqual([COOKIE]);
    const plain = "http://127.0.0.1:8787/console/sign-in";
    const response = await exports.default.fetch(plain, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        origin: "http://127.0.0.1:8787",
      },
      body: "email=anna%40mine.example&password=password",
    });
    const [cookie = ""] = response.headers.getSetCookie();
    expect(cookie).toMatch(/^tributary_session=.*; Path=\/console; HttpOnly; SameSite=Strict$/);
    // Where `__Host-` holds, the plain name that anybody on the domain may set counts for nothing.
    const other = openBrowser();
    other.cookies.set("tributary_session", browser.cookies.get(COOKIE) ?? "");
    expect((await other.get("/console")).status).toBe(303);
  });

  it("ends at once with signing out, for whoever has a copy of the cookie too", async () => {
    const browser = await signIn("otto@theirs.example");
    const copy = openBrowser();
    copy.cookies.set(COOKIE, browser.cookies.get(COOKIE) ?? "");
    const other = await signIn("otto@theirs.example");
    expect((await copy.get("/console")).status).toBe(200);
    expect(await browser.post("/console/sign-out")).toMatchObject({
      status: 303,
      location: "/console/sign-in",
    });
    expect(browser.cookies.size).toBe(0);
    expect((await copy.get("/console")).status).toBe(303);
    expect((await other.get("/console")).status).toBe(200);
  });

  it("refuses forms that another site sends", async () => {
    const browser = await signIn("anna@mine.example");
    const fields = { email: "anna@mine.example", password: "password" };
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      {},
    ])
      for (const path of ["/console/sign-in", "/console/sign-out", "/console/instances/1/disable"])
        expect((await browser.post(path, fields, headers)).status).toBe(403);
    const json = { "content-type": "application/json" };
    for (const headers of [json, { ...json, origin: "https://evil.example" }])
      for (const path of ["/console/sign-out", "/console/sessions/end-others"])
        expect((await browser.post(path, fields, headers)).status).toBe(403);
    expect((await browser.get("/console")).status).toBe(200);
  });

  it("admits no script, style, form or frame but the page's own", async () => {
    const { headers, html } = await openBrowser().get("/console/sign-in");
    const policy = headers.get("content-security-policy") ?? "";
    const nonce = /style-src 'nonce-([^']+)'/.exec(policy)?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(html).toContain(`<style nonce="${nonce}">`);
    expect(html).not.toMatch(/ (style|on\w+)="/);
  });
});

describe("a session", () => {
  const HOUR_MS = 3_600_000;
  /** Moves the moments of a browser's session into the past. */
  const age = (browser: Browser, createdMs: number, seenMs: number) => {
    const [token = ""] = (browser.cookies.get(COOKIE) ?? "").split(".");
    return env.DB.prepare(
      "UPDATE member_sessions SET created_at = ?, seen_at = ? WHERE token_hash = ?",
    )
      .bind(Date.now() - createdMs, Date.now() - seenMs, hashSecret(token))
      .run();
  };
  const statusOf = async (browser: Browser) => (await browser.get("/console/sessions")).status;

  it("goes on while it is used, and ends 12 hours after that", async () => {
    const browser = await signIn("vera@mine.example");
    await age(browser, 29 * 24 * HOUR_MS, 11 * HOUR_MS);
    expect(await statusOf(browser)).toBe(200);
    const seen = await env.DB.prepare(
      "SELECT s.last_seen_at FROM memberships AS s JOIN members AS m ON m.id = s.member_id WHERE m.email = 'vera@mine.example'",
    ).first<number>("last_seen_at");
    expect(Date.now() - (seen ?? 0)).toBeLessThan(HOUR_MS);
    await age(browser, 29 * 24 * HOUR_MS, 12 * HOUR_MS);
    expect(await statusOf(browser)).toBe(303);
  });

  it("ends 30 days after it began, used or not", async () => {
    const browser = await signIn("vera@mine.example");
    await age(browser, 30 * 24 * HOUR_MS, 0);
    expect(await statusOf(browser)).toBe(303);
  });

  it("is shown to its member with those elsewhere, whom one form signs out", async () => {
    const [mine, elsewhere] = [
      await signIn("vera@mine.example"),
      await signIn("vera@mine.example"),
    ];
    const page = await mine.get("/console/sessions");
    expect(page.html).toContain("this one");
    expect((await mine.post("/console/sessions/end-others")).location).toBe("/console/sessions");
    expect(await statusOf(elsewhere)).toBe(303);
    const left = await mine.get("/console/sessions");
    expect(left.html.match(/\/console\/sessions\/[\w-]+\/end"/g)).toHaveLength(1);
  });

  it("is ended by a form of its own member alone, who may only read", async () => {
    const [mine, theirs] = [await signIn("vera@mine.example"), await signIn("edith@mine.example")];
    const { html } = await mine.get("/console/sessions");
    const action = /(\/console\/sessions\/[\w-]{36}\/end)/.exec(html)?.[1] ?? "";
    const form = await theirs.post(action);
    expect(form.status).toBe(303);
    const { html: after } = await mine.get("/console/sessions");
    expect(after).toContain(action);
    await mine.post(action);
    expect((await mine.get("/console/sessions")).html).not.toContain(action);
  });

  it("ends everywhere with another password, and goes on where it was changed", async () => {
    const { email, password } = await ownOrganization();
    const [here, elsewhere] = [await signIn(email, password), await signIn(email, password)];
    const change = (present: string, next: string) =>
      here.post("/console/password", { present, password: next });
    for (const [answer, why] of [
      [await change("nonsense", "another one of mine"), "This is not your present password."],
      [await change(password, "password1"), "expected a password that is not among the 10,000"],
      [await change(password, "short"), "expected at least 8 characters"],
    ] as const) {
      expect(answer.status).toBe(400);
      expect(answer.html).toContain(why);
    }
    expect(await statusOf(elsewhere)).toBe(200);
    const copy = openBrowser();
    copy.cookies.set(COOKIE, here.cookies.get(COOKIE) ?? "");
    expect(await change(password, "another one of mine")).toMatchObject({
      status: 303,
      location: "/console/security",
    });
    expect(await Promise.all([here, elsewhere, copy].map(statusOf))).toEqual([200, 303, 303]);
    expect((await openBrowser().post("/console/sign-in", { email, password })).status).toBe(401);
    await signIn(email, "another one of mine");
  });

  it("lets whoever guesses at its password wait", async () => {
    const { email, password } = await ownOrganization();
    const browser = await signIn(email, password);
    const wrong = { present: "nonsense", password: "another one of mine" };
    for (let tries = 0; tries < 10; tries += 1) await browser.post("/console/password", wrong);
    const answer = await browser.post("/console/password", { ...wrong, present: password });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it.each([
    ["/console/instances/1", "/console/instances/1"],
    [undefined, "/console"],
    [
      "/console/events?source=instance%3A1&text=a+b",
      "/console/events?source=instance%3A1&text=a+b",
    ],
    ["/console?range=<script>", "/console"],
    ["/console?\r\nSet-Cookie:a=b", "/console"],
    ["https://evil.example/console", "/console"],
    ["//evil.example", "/console"],
    ["/console/../evil", "/console"],
    ["/console\\evil", "/console"],
  ])("goes on from %s to %s", (asked, page) => expect(nextPage(asked)).toBe(page));
});
