import { SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
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
    const claims = claimsOf(token);
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

  it("names the field that is wrong", async () => {
    const answer = await ask("POST", "/user", { body: { username: "x", password: "short" } });
    expect(answer).toMatchObject({ status: 400, body: { error: "Bad Request" } });
    expect(answer.body.message).toContain("password");
  });

  it("makes users for an API key, and refuses an unknown key", async () => {
    const body = { username: "by-key", password: "a-good-password" };
    expect((await ask("POST", "/user", { token: "no-such-key", body })).status).toBe(401);
    expect((await ask("POST", "/user", { token: apiKey, body })).status).toBe(200);
  });

  it("stops guessing after ten wrong passwords, with Retry-After", async () => {
    const { email, password } = await newUser();
    for (let tries = 0; tries < 10; tries += 1)
      expect(
        (await ask("POST", "/user/auth", { body: { email, password: `${tries}` } })).status,
      ).toBe(403);
    const answer = await ask("POST", "/user/auth", { body: { email, password } });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
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
    for (const one of [
      await sign({ id, scope: ["user"], ver: 1 }, past),
      await sign({ id, scope: ["user"] }, future),
      await sign({ id: "999999", scope: ["user"], ver: 1 }, future),
    ])
      expect((await ask("GET", "/user", { token: one })).status).toBe(401);
    expect((await ask("GET", "/user")).status).toBe(401);
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
    expect((await ask("GET", "/user", { token })).status).toBe(401);
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
