import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stack, startStack } from "./stack.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ env: { SIGNUP: "closed", CORS_ORIGINS: "https://app.example" } });
});
afterAll(async () => {
  await stack.stop();
});

const signUp = (username: string, headers: Record<string, string> = {}) =>
  fetch(`${stack.baseUrl}/user`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ username, password: "a-good-password" }),
  });

describe("a deployment with closed sign-up and one origin", () => {
  it("makes users for its own API keys only", async () => {
    expect((await signUp("stranger")).status).toBe(403);
    const authorization = `Bearer ${stack.local.apiKey}`;
    expect((await signUp("known", { authorization })).status).toBe(200);
  });

  it("lets browsers of that origin in, and no other", async () => {
    const allowed = async (origin: string, method: string) => {
      const answer = await fetch(`${stack.baseUrl}/user`, { method, headers: { origin } });
      await answer.text();
      return [answer.status, answer.headers.get("access-control-allow-origin")];
    };
    expect(await allowed("https://app.example", "OPTIONS")).toEqual([204, "https://app.example"]);
    expect(await allowed("https://app.example", "GET")).toEqual([401, "https://app.example"]);
    expect(await allowed("https://evil.example", "OPTIONS")).toEqual([204, null]);
    expect(await allowed("https://evil.example", "GET")).toEqual([401, null]);
  });
});
