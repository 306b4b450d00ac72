import { exports } from "cloudflare:workers";
import { FIRST, firstOrganization } from "../organization";
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

/** A new virtual user, who signed up by themselves, and their token. */
export const newUser = (): Promise<SignedIn> => make({});

/** One whom the organization's key made: their e-mail address counts as verified. */
export const madeUser = (token = API_KEY): Promise<SignedIn> => make({ token });

async function make(options: { token?: string }): Promise<SignedIn> {
  const email = `user-${(users += 1)}-${crypto.randomUUID()}@yourapp.com`;
  const password = "a-good-password";
  const body = { username: email, email, password };
  const made = await ask("POST", "/user", { ...options, body });
  return { token: made.body.token, email, password };
}
