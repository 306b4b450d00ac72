import { env, exports } from "cloudflare:workers";
import { hashSecret } from "../../src/accounts/secret";
import { signToken, tokenKey } from "../../src/accounts/users/token";
import { readConfig } from "../../src/config";
import { FIRST, firstOrganization, hashOnce } from "../organization";
import type { Asked, SignedIn } from "./things";

export type { SignedIn } from "./things";

let users = 0;

/** Asks the Worker as a client would. */
export async function ask(
  method: string,
  path: string,
  options: Asked = {},
): Promise<{ status: number; body: any; headers: Headers }> {
  const response = await exports.default.fetch(`http://tributary.example${path}`, {
    method,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text === "" ? undefined : JSON.parse(text),
    headers: response.headers,
  };
}

export const API_KEY = FIRST.apiKey;

/** The first organization, with an API key. */
export async function foundation(): Promise<{ apiKey: string }> {
  await firstOrganization();
  return { apiKey: API_KEY };
}

const draft = () => ({
  email: `user-${(users += 1)}-${crypto.randomUUID()}@yourapp.com`,
  password: "a-good-password",
});

/** A user who signs up by themselves, and their token. */
export const signUp = (): Promise<SignedIn> => make({});

/** One whom the organization's key made: their e-mail address counts as verified. */
export const madeUser = (token = API_KEY): Promise<SignedIn> => make({ token });

async function make(options: { token?: string }): Promise<SignedIn> {
  const { email, password } = draft();
  const body = { username: email, email, password };
  const made = await ask("POST", "/user", { ...options, body });
  return { token: made.body.token, email, password };
}

/** A user like one who signed up, which takes longer than most tests. */
export async function newUser(): Promise<SignedIn> {
  const { email, password } = draft();
  const user = await env.DB.prepare(
    "INSERT INTO users (organization_id, username, email, secret_hash, password_hash, role, created_at) VALUES (1, ?1, ?1, ?2, ?3, 'user', ?4) RETURNING id, token_version AS tokenVersion",
  )
    .bind(email, hashSecret(crypto.randomUUID()), hashOnce(password), Date.now())
    .first<{ id: number; tokenVersion: number }>();
  if (user === null) throw new Error("The user was not made");
  const token = await signToken(user, tokenKey(readConfig(env).sessionKey), Date.now());
  return { token, email, password };
}
