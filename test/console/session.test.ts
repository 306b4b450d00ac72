import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { hashPassword } from "../../src/accounts/secret";
import { nextPage, readSession, SESSION_MS, writeSession } from "../../src/console/session/session";
import { THEIR_PASSWORD } from "../organization";
import { createAccounts, openBrowser, signIn } from "./build";

beforeAll(createAccounts);

describe("signing in", () => {
  it("sends whoever has not signed in to the form, and back to where they wanted to go", async () => {
    const browser = openBrowser();
    const first = await browser.get("/console/destinations");
    expect(first).toMatchObject({
      status: 303,
      location: "/console/sign-in?next=%2Fconsole%2Fdestinations",
    });
    const form = await browser.get(first.location ?? "");
    expect(form.html).toContain('name="next" value="/console/destinations"');
    const done = await browser.post("/console/sign-in", {
      email: "anna@mine.example",
      password: "password",
      next: "/console/destinations",
    });
    expect(done).toMatchObject({ status: 303, location: "/console/destinations" });
    expect(done.headers.getSetCookie()[0]).toMatch(
      /^tributary_session=1\..*; Max-Age=43200; Path=\/console; HttpOnly; Secure; SameSite=Strict$/,
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
    const cookie = browser.cookies.get("tributary_session") ?? "";
    browser.cookies.set("tributary_session", cookie.replace(/^1/, "2"));
    expect((await browser.get("/console")).status).toBe(303);
  });

  it("ends with signing out, and with another password", async () => {
    const browser = await signIn("otto@theirs.example");
    expect((await browser.get("/console")).status).toBe(200);
    const other = await signIn("otto@theirs.example");
    await other.post("/console/sign-out");
    expect((await other.get("/console")).status).toBe(303);
    const setPassword = (password: string) =>
      env.DB.prepare("UPDATE members SET password_hash = ? WHERE id = 2")
        .bind(hashPassword(password, new Uint8Array(16)))
        .run();
    await setPassword("another");
    expect((await browser.get("/console")).status).toBe(303);
    await setPassword(THEIR_PASSWORD);
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
  const session = { memberId: 7, until: 1_000 + SESSION_MS, mark: "0123456789abcdef" };

  it("is read as it was written until it is over", () => {
    const text = writeSession(session);
    expect(readSession(text, 1_000)).toEqual(session);
    expect(readSession(text, session.until)).toBeUndefined();
    expect(readSession(`${text}x`, 1_000)).toBeUndefined();
    expect(readSession("", 1_000)).toBeUndefined();
  });

  it.each([
    ["/console/instances/1", "/console/instances/1"],
    [undefined, "/console"],
    ["https://evil.example/console", "/console"],
    ["//evil.example", "/console"],
    ["/console/../evil", "/console"],
    ["/console\\evil", "/console"],
  ])("goes on from %s to %s", (asked, page) => expect(nextPage(asked)).toBe(page));
});
