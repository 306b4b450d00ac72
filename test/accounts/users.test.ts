import { SignJWT, UnsecuredJWT } from "jose";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { hashPassword } from "../../src/accounts/secret";
import { tokenKey } from "../../src/accounts/users/token";
import { ask, foundation, newUser } from "./ask";

let apiKey = "";
beforeAll(async () => {
  ({ apiKey } = await foundation());
});

const claimsOf = (token: string) => JSON.parse(atob(token.split(".")[1] ?? ""));
const key = tokenKey(btoa("fedcba9876543210fedcba9876543210"));

describe("sign-up and sign-in", () => {
  it("tells the version without a token", async () => {
    expect(await ask("GET", "/")).toMatchObject({ status: 200, body: { version: "6.5.0" } });
  });

  it("gives a token with id, scope, version and thirty days", async () => {
    const { token } = await newUser();
    expect(JSON.parse(atob(token.split(".")[0] ?? ""))).toEqual({ alg: "HS256", typ: "JWT" });
    const claims = claimsOf(token);
    expect(Object.keys(claims).toSorted()).toEqual(["exp", "iat", "id", "scope", "ver"]);
    expect(claims).toMatchObject({ scope: ["user"], ver: 1 });
    expect(typeof claims.id).toBe("string");
    expect(claims.exp - claims.iat).toBe(2_592_000);
  });

  it("signs in by user name or email with exactly 200, telling the user", async () => {
    const { email, password } = await newUser();
    for (const body of [
      { username: email, password },
      { email, password },
    ]) {
      const answer = await ask("POST", "/user/auth", { body });
      expect(answer.status).toBe(200);
      expect(answer.body.user).toMatchObject({ username: email, email, isActive: true });
      expect(await ask("GET", "/user", { token: answer.body.token })).toMatchObject({
        status: 200,
        body: { id: answer.body.user.id, email, scope: ["user"], plan: "free" },
      });
    }
  });

  it("answers an unknown user and a wrong password alike, with 403", async () => {
    const { email } = await newUser();
    const wrong = await ask("POST", "/user/auth", { body: { email, password: "wrong" } });
    const unknown = await ask("POST", "/user/auth", {
      body: { email: "nobody@yourapp.com", password: "wrong" },
    });
    expect(wrong).toMatchObject({ status: 403, body: { statusCode: 403, error: "Forbidden" } });
    expect(unknown.body).toEqual(wrong.body);
  });

  it("refuses a name that anybody has, as user name or as email", async () => {
    const { email } = await newUser();
    const again = { username: "another", email, password: "a-good-password" };
    expect((await ask("POST", "/user", { body: again })).status).toBe(409);
    const crossed = { username: email, email: "fresh@yourapp.com", password: "a-good-password" };
    expect((await ask("POST", "/user", { body: crossed })).status).toBe(409);
  });

  it("compares e-mail addresses without blanks and in lower case, user names as they stand", async () => {
    const own = crypto.randomUUID();
    const password = "a-good-password";
    const email = `Ada@${own}.Example`;
    const made = await ask("POST", "/user", { body: { email, password } });
    expect((await ask("GET", "/user", { token: made.body.token })).body.email).toBe(email);
    for (const body of [
      { email: ` ${email.toUpperCase()}\t`, password },
      { username: email.toLowerCase(), password },
    ])
      expect((await ask("POST", "/user/auth", { body })).status).toBe(200);
    for (const body of [
      { email: email.toLowerCase(), password },
      { username: ` ${email.toUpperCase()}`, email: `fresh@${own}.example`, password },
    ])
      expect((await ask("POST", "/user", { body })).status).toBe(409);
    for (const username of [`ada-${own}`, `Ada-${own}`])
      expect((await ask("POST", "/user", { body: { username, password } })).status).toBe(200);
    expect(
      (await ask("POST", "/user/auth", { body: { username: `ADA-${own}`, password } })).status,
    ).toBe(403);
  });

  it("locks nobody out whose address differs from another's in case alone, from before that", async () => {
    const own = crypto.randomUUID();
    const insert = env.DB.prepare(
      "INSERT INTO users (organization_id, email, secret_hash, password_hash, created_at) VALUES (1, ?1, ?1, ?2, 1)",
    );
    const two = [`Ada@${own}.example`, `ada@${own}.example`];
    await env.DB.batch(
      two.map((email) => insert.bind(email, hashPassword(`of ${email}`, new Uint8Array(16)))),
    );
    for (const email of two) {
      const body = { email, password: `of ${email}` };
      expect(await ask("POST", "/user/auth", { body })).toMatchObject({
        status: 200,
        body: { user: { email } },
      });
    }
  });

  it("names the field that is wrong", async () => {
    const answer = await ask("POST", "/user", { body: { username: "x", password: "short" } });
    expect(answer).toMatchObject({ status: 400, body: { error: "Bad Request" } });
    expect(answer.body.message).toContain("password");
  });

  it.each([
    ["Sunshine1", "Expected a password that is not among the 10,000 commonest"],
    ["\u0000-long-enough", "Expected text without NUL"],
    ["x".repeat(257), "Expected at most 256 bytes"],
  ])("refuses the password %j at sign-up, and for a change", async (refused, why) => {
    const body = { username: crypto.randomUUID(), password: refused };
    const answer = await ask("POST", "/user", { body });
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining(why) } });
    const { token, password } = await newUser();
    const change = { oldPassword: password, newPassword: refused };
    const second = await ask("POST", "/user/change-password", { token, body: change });
    expect(second).toMatchObject({ status: 400, body: { message: expect.stringContaining(why) } });
    expect(second.body.message).toContain("newPassword");
  });

  it("signs in with a password from before the rules", async () => {
    const { email } = await newUser();
    await env.DB.prepare("UPDATE users SET password_hash = ? WHERE email = ?")
      .bind(hashPassword("old", new Uint8Array(16)), email)
      .run();
    const body = { email, password: "old" };
    expect((await ask("POST", "/user/auth", { body })).status).toBe(200);
  });

  it("makes users for an API key, and refuses an unknown key", async () => {
    const body = { username: "by-key", password: "a-good-password" };
    expect((await ask("POST", "/user", { token: "no-such-key", body })).status).toBe(401);
    expect((await ask("POST", "/user", { token: apiKey, body })).status).toBe(200);
  });

  it("stops guessing after ten wrong passwords, with Retry-After, and nobody who comes from elsewhere", async () => {
    const { email, password } = await newUser();
    for (let tries = 0; tries < 10; tries += 1)
      expect(
        (await ask("POST", "/user/auth", { body: { email, password: `${tries}` } })).status,
      ).toBe(403);
    const answer = await ask("POST", "/user/auth", { body: { email, password } });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    expect((await ask("POST", "/user/auth", { body: { email, password }, headers })).status).toBe(
      200,
    );
    // When the wait is over it may be tried again.
    await env.DB.prepare("UPDATE sign_in_failures SET until = 1 WHERE key = ?")
      .bind(`user unknown ${email}`)
      .run();
    expect((await ask("POST", "/user/auth", { body: { email, password } })).status).toBe(200);
  });

  it("counts guesses that come all at once, those at the old password of a token too", async () => {
    const { email, token } = await newUser();
    const guesses = await Promise.all(
      Array.from({ length: 14 }, (_, n) =>
        n % 2 === 0
          ? ask("POST", "/user/auth", { body: { email, password: `guess ${n}` } })
          : ask("POST", "/user/change-password", {
              token,
              body: { oldPassword: `guess ${n}`, newPassword: "a-new-password" },
            }),
      ),
    );
    const statuses = guesses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 403)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
  });

  it("stops an address that guesses at many names, and nobody else", async () => {
    const { email, password } = await newUser();
    const from = (address: string) =>
      ask("POST", "/user/auth", {
        body: { email, password },
        headers: { "cf-connecting-ip": address },
      });
    const until = Date.now() + 60_000;
    await env.DB.prepare("INSERT INTO sign_in_failures VALUES ('user address 192.0.2.1', 500, ?)")
      .bind(until)
      .run();
    expect((await from("192.0.2.1")).status).toBe(429);
    expect((await from("192.0.2.2")).status).toBe(200);
  });
});

describe("tokens", () => {
  const sign = (claims: Record<string, unknown>, exp: number, secret = key) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256" })
      .setIssuedAt()
      .setExpirationTime(exp)
      .sign(secret);
  const future = Math.floor(Date.now() / 1000) + 600;

  it("refuses what is tampered with, of another key, algorithm or none, with the known message", async () => {
    const { token } = await newUser();
    const { id } = claimsOf(token);
    const [head, , signature] = token.split(".");
    const forged = btoa(JSON.stringify({ ...claimsOf(token), id: "1" })).replaceAll("=", "");
    const long = crypto.getRandomValues(new Uint8Array(64));
    const bad = [
      `${head}.${forged}.${signature}`,
      await sign({ id, scope: ["user"], ver: 1 }, future, long),
      await new SignJWT({ id, scope: ["user"], ver: 1 })
        .setProtectedHeader({ alg: "HS384" })
        .setExpirationTime(future)
        .sign(long),
      new UnsecuredJWT({ id, scope: ["user"], ver: 1 }).setExpirationTime(future).encode(),
      "not-a-token",
    ];
    for (const one of bad)
      expect(await ask("GET", "/user", { token: one })).toMatchObject({
        status: 401,
        body: { message: "Invalid JWT: key or signature is invalid" },
      });
  });

  it("refuses an expired token, one without a version, and one of nobody", async () => {
    const { token } = await newUser();
    const { id } = claimsOf(token);
    const past = Math.floor(Date.now() / 1000) - 10;
    const claims = { id, scope: ["user"], ver: 1 };
    for (const [one, message] of [
      [await sign(claims, past), "Invalid JWT: the token has expired"],
      [await sign({ id, scope: ["user"] }, future), "Invalid JWT: claims are missing"],
      [await sign({ ...claims, id: "1 OR 1" }, future), "Invalid JWT: claims are missing"],
      [await sign({ ...claims, id: "999999" }, future), "Invalid JWT: the user does not exist"],
      [await sign({ ...claims, ver: 2 }, future), "Invalid JWT: the token was revoked"],
      [undefined, "Missing authentication"],
    ] as const)
      expect(await ask("GET", "/flows", one === undefined ? {} : { token: one })).toMatchObject({
        status: 401,
        body: { statusCode: 401, error: "Unauthorized", message },
      });
    expect((await ask("GET", "/flows", { token: await sign(claims, future) })).status).toBe(200);
  });

  it("refuses the token of somebody who was switched off", async () => {
    const { email, token } = await newUser();
    await env.DB.prepare("UPDATE users SET is_active = 0 WHERE email = ?").bind(email).run();
    expect(await ask("GET", "/flows", { token })).toMatchObject({
      status: 401,
      body: { message: "Invalid JWT: the user is not active" },
    });
  });

  it("takes the scheme in any case", async () => {
    const { token } = await newUser();
    const headers = { authorization: `bEARER ${token}` };
    expect((await ask("GET", "/user", { headers })).status).toBe(200);
  });

  it("revokes older tokens when the password changes", async () => {
    const { token, email, password } = await newUser();
    const change = (oldPassword: string) =>
      ask("POST", "/user/change-password", {
        token,
        body: { oldPassword, newPassword: "another-password" },
      });
    expect((await change("wrong")).status).toBe(403);
    expect((await change(password)).status).toBe(200);
    expect(await ask("GET", "/user", { token })).toMatchObject({
      status: 401,
      body: { message: "Invalid JWT: the token was revoked" },
    });
    const body = { email, password: "another-password" };
    expect((await ask("POST", "/user/auth", { body })).status).toBe(200);
  });
});

describe("CORS", () => {
  const headers = { origin: "https://app.example" };

  it("answers OPTIONS with 204 before anybody is asked who they are, on every route", async () => {
    for (const path of ["/", "/user", "/flows/x/coordinator", "/app-events", "/logs"]) {
      const answer = await ask("OPTIONS", path, { headers });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
      expect(answer.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
    }
  });

  it("echoes the origin on errors too", async () => {
    const answer = await ask("GET", "/user", { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(answer.headers.get("vary")).toContain("Origin");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });
});
