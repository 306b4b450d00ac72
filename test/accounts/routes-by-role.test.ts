import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { inspectRoutes } from "hono/dev";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { hashSecret } from "../../src/accounts/secret";
import { app } from "../../src/app";
import { createAccounts, signIn } from "../console/build";
import { MINE, THEIRS } from "../elements/build";
import { ask, newUser } from "./ask";
import { type Actor, ACTORS, admits, TABLE } from "./routes-by-role";
import { bodyOf } from "./bodies";
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

let cookies: Record<string, string> = {};
let signInAll: () => Promise<void>;
let users: { ours: Awaited<ReturnType<typeof newUser>>; theirs: string };
let shared: Things;
let elsewhere: Things;

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

async function credentialsOf(
  actor: Actor,
  path: string,
  things: Things,
): Promise<Record<string, string>> {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  switch (actor) {
    case "nobody":
      return {};
    case "user":
      return bearer(users.ours.token);
    case "viewer":
    case "editor":
    case "owner":
      return { cookie: cookies[actor] ?? "" };
    case "secrets":
      return { authorization: `${MINE}, Element ${(await things.instance()).token}` };
    case "read":
    case "write":
    case "admin":
      return bearer(KEYS[actor]);
    case "secrets key":
      return bearer(KEYS.secrets);
    case "one source":
      return bearer(await things.limitedKey());
    case "another source":
      return bearer(await elsewhere.limitedKey());
    case "expired":
      return bearer(EXPIRED);
    case "stranger":
      if (path.startsWith("/console")) return { cookie: cookies["stranger"] ?? "" };
      if (path.startsWith("/elements"))
        return { authorization: `${THEIRS}, Element ${(await things.theirInstance()).token}` };
      return bearer(/^\/(v1|apis|events)\//.test(path) ? THEIR_KEY : users.theirs);
  }
}

type Answer = { status: number; text: string; isIn: boolean };

async function send(
  method: string,
  path: string,
  credentials: Record<string, string>,
  body: unknown,
): Promise<Answer> {
  const context = createExecutionContext();
  const isForm = path.startsWith("/console");
  const isPatch = method === "PATCH" && path.startsWith("/apis/");
  const type = isForm ? "x-www-form-urlencoded" : isPatch ? "json-patch+json" : "json";
  const form = () => new URLSearchParams(body as Record<string, string>).toString();
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    redirect: "manual",
    headers: { origin: ORIGIN, "content-type": `application/${type}`, ...credentials },
    ...(["GET", "HEAD"].includes(method) ? {} : { body: isForm ? form() : JSON.stringify(body) }),
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
  const sentAway =
    path !== "/console/sign-out" &&
    (response.headers.get("location")?.startsWith("/console/sign-in") ?? false);
  const isIn = ![401, 403, 404].includes(response.status) && !sentAway;
  return { status: response.status, text: told, isIn };
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

const lines = Object.entries(TABLE).flatMap(([route, audience]) =>
  typeof audience === "string"
    ? [[route.replace(/^ALL/, "GET"), audience] as const]
    : Object.entries(audience),
);

it.each(lines)("%s lets in: %s", async (line, audience) => {
  const [method = "", route = ""] = line.split(" ");
  const told: Partial<Record<Actor, number>> = {};
  const expected: Partial<Record<Actor, unknown>> = {};
  for (const actor of ACTORS) {
    const isIn = admits(audience, actor);
    // What gets in may change what it finds.
    const things = isIn && method !== "GET" ? new Things(users.ours, WORLD) : shared;
    const path = await pathOf(method, route, things);
    const credentials = await credentialsOf(actor, path, things);
    const body = await bodyOf(line, things);
    const answer = await send(method, path, credentials, body);
    told[actor] = answer.status;
    expected[actor] = answer.isIn === isIn ? answer.status : isIn ? "in" : "out";
    if (OUTSIDERS.has(actor) && !isIn && !TELLING.test(line)) {
      const unknown = await pathOf(method, route, things, strange);
      const none = await send(method, unknown, credentials, body);
      expect(neutral(answer)).toEqual(neutral(none));
    }
  }
  expect(told).toEqual(expected);
  if (line === "POST /console/sign-out") await signInAll();
});

const OUTSIDERS = new Set<Actor>(["stranger", "another source"]);

/**
 * Elsewhere what is another's looks like what isn't there. The connector surface says 403 by contract, and
 * `PUT /flows/:id` makes a flow whose id is new.
 */
const TELLING = /^\w+ \/elements\/|^PUT \/flows\/:id$/;

/** An id like another one, of nothing. */
const strange = (id: string): string => `${id.slice(0, -1)}99999`;

/** An answer without what differs from request to request: ids, and the nonce of a page. */
const neutral = ({ status, text }: Answer) => ({
  status,
  text: text.replaceAll(
    /nonce="[^"]*"|'[^']*'|&#39;[^&]*&#39;|"(requestId|transactionId)":"[^"]*"|[et]-[0-9a-f-]{36,}/g,
    "",
  ),
});
