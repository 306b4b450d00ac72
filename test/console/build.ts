import { env, exports } from "cloudflare:workers";
import { hashSecret } from "../../src/accounts/secret";
import { createOrganizations } from "../elements/build";
import { memberOf, THEIR_PASSWORD } from "../organization";

/** A browser without scripts: keeps cookies, sends forms from the page's own origin, follows nothing. */

const ORIGIN = "https://tributary.example";

export type Shown = { status: number; html: string; headers: Headers; location: string | null };

export type Browser = {
  cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Shown>;
  /** Sends a form; headers given replace the browser's own. */
  post(
    path: string,
    fields?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Shown>;
  /** Sends a form that may have a field several times. */
  send(path: string, fields: URLSearchParams): Promise<Shown>;
};

/** @param fetch what answers: the Worker, or one that is set up otherwise. */
export function openBrowser(
  fetch: (url: string, init: RequestInit) => Promise<Response> | Response = (url, init) =>
    exports.default.fetch(url, init),
): Browser {
  // Of its own among all files': failures are counted by address, and some files have a clock of their own.
  const part = () => Math.floor(Math.random() * 0x10000).toString(16);
  const address = `2001:db8:${part()}:${part()}:${part()}::1`;
  const cookies = new Map<string, string>();
  const send = async (path: string, init: RequestInit, headers: Record<string, string>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(`${ORIGIN}${path}`, {
      ...init,
      redirect: "manual",
      headers: { "cf-connecting-ip": address, cookie, ...headers },
    });
    for (const text of response.headers.getSetCookie()) {
      const [pair = ""] = text.split(";");
      const equals = pair.indexOf("=");
      const value = pair.slice(equals + 1);
      if (value === "") cookies.delete(pair.slice(0, equals));
      else cookies.set(pair.slice(0, equals), value);
    }
    return {
      status: response.status,
      headers: response.headers,
      location: response.headers.get("location"),
      html: await response.text(),
    };
  };
  const form = (path: string, fields: URLSearchParams, headers: Record<string, string>) =>
    send(
      path,
      { method: "POST", body: fields.toString() },
      { "content-type": "application/x-www-form-urlencoded", ...headers },
    );
  return {
    cookies,
    get: (path, headers = {}) => send(path, {}, headers),
    post: (path, fields = {}, headers = { origin: ORIGIN }) =>
      form(path, new URLSearchParams(fields), headers),
    send: (path, fields) => form(path, fields, { origin: ORIGIN }),
  };
}

/** Two organizations whose owners can sign in; mine with an editor and a viewer. */
export async function createAccounts(): Promise<void> {
  await createOrganizations();
  const member = (email: Someone, role: string) =>
    memberOf(1, { email, role, password: PASSWORDS[email] });
  await env.DB.batch([
    ...member("edith@mine.example", "editor"),
    ...member("vera@mine.example", "viewer"),
  ]);
}

/** An organization with nothing in it; its owner's password is `password-of-nora`. */
export async function createEmptyOrganization(): Promise<void> {
  await env.DB.batch([
    env.DB.prepare(
      "INSERT OR IGNORE INTO organizations (id, name, secret_hash, settings, created_at) VALUES (1000003, 'Empty', ?, '{}', 1)",
    ).bind(hashSecret("organization-secret-of-empty")),
    env.DB.prepare(
      "INSERT OR IGNORE INTO users (id, organization_id, email, secret_hash, password_hash, role, created_at) VALUES (1000003, 1000003, 'nora@empty.example', ?, '', 'admin', 1)",
    ).bind(hashSecret("user-secret-of-empty")),
    ...memberOf(1000003, { email: "nora@empty.example", password: "password-of-nora" }),
  ]);
}

const PASSWORDS = {
  "anna@mine.example": "password",
  "edith@mine.example": "password-of-edith",
  "vera@mine.example": "password-of-vera",
  "otto@theirs.example": THEIR_PASSWORD,
  "nora@empty.example": "password-of-nora",
};

type Someone = keyof typeof PASSWORDS;

export async function signIn(
  email: string,
  password = new Map(Object.entries(PASSWORDS)).get(email) ?? "",
): Promise<Browser> {
  const browser = openBrowser();
  const { status } = await browser.post("/console/sign-in", { email, password });
  if (status !== 303) throw new Error(`Signing in answered ${status}`);
  return browser;
}
