import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { inspectRoutes } from "hono/dev";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { hashSecret } from "../../src/accounts/secret";
import { app } from "../../src/app";
import { createAccounts, signIn } from "../console/build";
import { THEIRS } from "../elements/build";
import { ask, newUser } from "./ask";
import { type Actor, ACTORS, admits, TABLE } from "./routes-by-role";
import { DELETES_ITSELF, reopen } from "./reopen";
import { bodyOf } from "./bodies";
import {
  credentialsOf,
  encode,
  type Holders,
  isIn,
  LINES,
  neutral,
  OUTSIDERS,
  strange,
  TELLING,
} from "./judge";
import { pathOf, Things } from "./things";
import { WORLD } from "./world";

const ORIGIN = "https://tributary.example";
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const KEYS = {
  read: "key-that-reads",
  write: "key-that-writes",
  admin: "key-of-admins",
  secrets: "key-that-reads-secrets",
};
const THEIR_KEY = "key-of-theirs";
const EXPIRED = "key-that-is-over";

let cookies: Holders["cookies"];
let signInAll: () => Promise<void>;
let users: { ours: Awaited<ReturnType<typeof newUser>>; theirs: string };
let shared: Things;
let elsewhere: Things;

const holders = (): Holders => ({
  cookies,
  keys: KEYS,
  theirs: { authorization: THEIRS, key: THEIR_KEY, userToken: users.theirs },
  expired: EXPIRED,
  elsewhere,
});

beforeAll(async () => {
  vi.stubGlobal("fetch", async (input: URL | string) =>
    String(input).endsWith("/refused")
      ? new Response("no", { status: 422 })
      : Response.json({ id: "1", data: [] }),
  );
  await createAccounts();
  const insert = env.DB.prepare(
    "INSERT INTO api_keys (id, organization_id, name, key_hash, scopes, expires_at, created_at) VALUES (?, ?, 'k', ?, ?, ?, 0)",
  );
  const all = ["read", "write", "admin", "secrets"];
  await env.DB.batch([
    ...Object.entries(KEYS).map(([scope, key]) =>
      insert.bind(`k-${scope}`, 1, hashSecret(key), JSON.stringify([scope]), null),
    ),
    insert.bind("k-theirs", 2, hashSecret(THEIR_KEY), JSON.stringify(all), null),
    insert.bind("k-over", 1, hashSecret(EXPIRED), JSON.stringify(all), Date.now() - 1),
  ]);
  const signedIn = async (email: Parameters<typeof signIn>[0]) =>
    [...(await signIn(email)).cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  signInAll = async () => {
    cookies = {
      viewer: await signedIn("vera@mine.example"),
      editor: await signedIn("edith@mine.example"),
      owner: await signedIn("anna@mine.example"),
      stranger: await signedIn("otto@theirs.example"),
    };
  };
  await signInAll();
  const body = { username: crypto.randomUUID(), password: "a-good-password" };
  const theirs = await ask("POST", "/user", { token: THEIR_KEY, body });
  users = { ours: await newUser(), theirs: theirs.body.token };
  shared = new Things(users.ours, WORLD);
  elsewhere = new Things(users.ours, WORLD);
});
afterAll(() => vi.unstubAllGlobals());

type Answer = { status: number; text: string; isIn: boolean };

async function send(
  method: string,
  path: string,
  credentials: Record<string, string>,
  body: unknown,
): Promise<Answer> {
  const context = createExecutionContext();
  const encoded = encode(method, path, body);
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    redirect: "manual",
    headers: { origin: ORIGIN, ...encoded.headers, ...credentials },
    ...(["GET", "HEAD"].includes(method) ? {} : { body: encoded.body }),
  });
  const bindings = {
    ...env,
    OAUTH_APPS: JSON.stringify({
      box: { key: "k", secret: "s", callbackUrl: "https://app.example/back" },
    }),
  };
  const response = await app.fetch(request, bindings, context);
  const told = await response.text();
  await waitOnExecutionContext(context);
  const { status } = response;
  const entered = isIn(path, status, response.headers.get("location"));
  return { status, text: told, isIn: entered };
}

/** `METHOD path` of every route that answers, a path that answers to every method as `ALL path`. */
function routes(): string[] {
  const paths = new Map<string, Set<string>>();
  for (const { method, path, isMiddleware } of inspectRoutes(app))
    if (!isMiddleware) paths.set(path, (paths.get(path) ?? new Set()).add(method));
  return [...paths].flatMap(([path, methods]) =>
    METHODS.every((method) => methods.has(method))
      ? `ALL ${path}`
      : [...methods].map((method) => `${method} ${path}`),
  );
}

it("names every route there is, and no other", () => {
  expect(Object.keys(TABLE).toSorted()).toEqual(routes().toSorted());
});

it.each(LINES)("%s lets in: %s", async (line, audience) => {
  const [method = "", route = ""] = line.split(" ");
  const told: Partial<Record<Actor, number>> = {};
  const expected: Partial<Record<Actor, unknown>> = {};
  for (const actor of ACTORS) {
    const isMeant = admits(audience, actor);
    // What gets in may change what it finds.
    const things = isMeant && method !== "GET" ? new Things(users.ours, WORLD) : shared;
    const path = await pathOf(method, route, things);
    const credentials = await credentialsOf(actor, path, things, holders());
    const body = await bodyOf(line, things);
    const answer = await send(method, path, credentials, body);
    if (line === DELETES_ITSELF) await reopen();
    told[actor] = answer.status;
    expected[actor] = answer.isIn === isMeant ? answer.status : isMeant ? "in" : "out";
    if (OUTSIDERS.has(actor) && !isMeant && !TELLING.test(line)) {
      const unknown = await pathOf(method, route, things, strange);
      const none = await send(method, unknown, credentials, body);
      expect(neutral(answer)).toEqual(neutral(none));
    }
  }
  expect(told).toEqual(expected);
  if (line === "POST /console/sign-out") await signInAll();
});
