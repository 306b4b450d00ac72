import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Holders } from "../accounts/judge.ts";
import {
  formTokenIn,
  GUESTS_PASSWORD,
  type SignedIn,
  Things,
  type World,
} from "../accounts/things.ts";
import { type Stack, startStack } from "../e2e/stack.ts";
import { WAIT_MS } from "../patience.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Sandbox, startSandbox } from "../vendors/sandbox.ts";
import { type Answer, send, type Sent } from "./client.ts";
import { type Resolver, startResolver } from "./egress/resolver.ts";

/**
 * One stack with two organizations, members of each role, users, keys, a vendor and a receiver. Loopback only: callbacks
 * and vendors stand at 127.0.0.1, the one address that this stack may call.
 */
export type Arena = {
  stack: Stack;
  /** Another one takes other combinations. */
  round: number;
  receiver: Receiver;
  sandbox: Sandbox;
  resolver: Resolver;
  /** The first organization, and another one. */
  ours: Side;
  theirs: Side;
  holders: Holders;
  members: Members;
  /** Another user of ours. */
  newUser: () => Promise<SignedIn>;
  send: (sent: Sent) => Promise<Answer>;
  stop: () => Promise<void>;
};

type Members = Record<"viewer" | "editor", { email: string; password: string }>;

/** An organization as its owner and a user of its apps see it. */
export type Side = { world: World; user: SignedIn; things(): Things; cookie: string };

const ALL_SCOPES = ["read", "write", "admin", "secrets"];

export async function startArena(round: number): Promise<Arena> {
  const [receiver, sandbox, resolver] = await Promise.all([
    startReceiver({
      respond: ({ path }) => ({ status: path.startsWith("/refused") ? 422 : 200 }),
    }),
    startSandbox({ rateLimitPerMinute: Infinity }),
    startResolver(),
  ]);
  // The hub's paths name a record by this id.
  sandbox.create("accounts", { id: "1", name: "first" });
  const env = { EGRESS_ALLOW: "127.0.0.1", DOH_URL: resolver.url };
  const stack = await startStack({ env });
  const post: Arena["send"] = (sent) =>
    send(stack.baseUrl, {
      ...sent,
      headers: { origin: stack.baseUrl, "cf-connecting-ip": anyAddress(), ...sent.headers },
    });
  const outside = { receiver, sandbox };
  const { userSecret, organizationSecret, apiKey, email, password } = stack.local;
  const mine = `User ${userSecret}, Organization ${organizationSecret}`;
  const other = foundSecond(stack);
  const shared = { post, ...outside };
  const ours = await sideOf(
    { ...worldOf(shared, mine, other), apiKey, owner: { email, password } },
    post,
  );
  const theirWorld = worldOf(shared, other, mine);
  const theirKey = await keyOf(theirWorld, ALL_SCOPES);
  const guest = await memberOf(theirWorld, "owner");
  const theirs = await sideOf({ ...theirWorld, apiKey: theirKey, owner: guest }, post);
  const members = {
    viewer: await memberOf(ours.world, "viewer"),
    editor: await memberOf(ours.world, "editor"),
  };
  return {
    stack,
    round,
    ...outside,
    resolver,
    ours,
    theirs,
    members,
    holders: await holdersOf(ours, theirs, members, post),
    newUser: () => signUp(ours.world),
    send: post,
    async stop() {
      await stack.stop();
      await Promise.all([receiver, sandbox, resolver].map((server) => server.close()));
    },
  };
}

type Shared = { post: Arena["send"]; receiver: Receiver; sandbox: Sandbox };

/** Things are made over HTTP; a notification by a poll of the sandbox. */
export function worldOf(
  { post, receiver, sandbox }: Shared,
  mine: string,
  theirs: string,
): Omit<World, "apiKey" | "owner"> {
  const ask: World["ask"] = async (method, path, { token, body, headers } = {}) => {
    const answer = await post({
      method,
      path,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return {
      status: answer.status,
      body: answer.text === "" ? undefined : JSON.parse(answer.text),
      headers: new Headers(answer.headers as Record<string, string>),
    };
  };
  return {
    ask,
    mine,
    theirs,
    draft: (change = {}) => ({
      element: { key: "sandbox" },
      configuration: {
        "sandbox.api.key": sandbox.apiKey,
        "base.url": sandbox.url,
        "event.vendor.type": "polling",
        "event.notification.callback.url": `${receiver.url}/hook`,
        "event.objects": "accounts",
        ...change,
      },
      name: "Sandbox",
      tags: ["test"],
    }),
    refusing: `${receiver.url}/refused`,
    async notify({ id }) {
      sandbox.create("accounts", { name: "noticed" }, Date.now() + 1);
      const headers = { authorization: mine };
      await ask("POST", `/v1/instances/${id}/poll`, { headers });
      return eventually(async () => {
        const { body } = await ask("GET", `/v1/deliveries?source=instance:${id}`, { headers });
        return body.items?.[0]?.id as string | undefined;
      });
    },
    async enter(link) {
      const opened = await post({ method: "GET", path: new URL(link).pathname, headers: {} });
      const cookie = cookieOf(opened);
      let page = opened;
      while (typeof page.headers["location"] === "string")
        page = await post({ method: "GET", path: page.headers["location"], headers: { cookie } });
      return { cookie, formToken: formTokenIn(page.text) };
    },
    async accept(invitation, password) {
      await postForm(post, new URL(invitation).pathname, { password });
    },
    eventually,
  };
}

export async function signUp(world: World): Promise<SignedIn> {
  const email = `user-${crypto.randomUUID()}@app.example`;
  const password = "a-good-password";
  const body = { username: email, email, password };
  const { token } = (await world.ask("POST", "/user", { token: world.apiKey, body })).body;
  return { token, email, password };
}

async function sideOf(world: World, post: Arena["send"]): Promise<Side> {
  const user = await signUp(world);
  const cookie = await signIn(post, world.owner);
  return { world, user, cookie, things: () => new Things(user, world) };
}

async function holdersOf(
  ours: Side,
  theirs: Side,
  members: Members,
  post: Arena["send"],
): Promise<Holders> {
  const key = (scope: string) => keyOf(ours.world, [scope]);
  const expired = await keyOf(ours.world, ALL_SCOPES, new Date(Date.now() + 1_000));
  await sleep(1_100);
  return {
    cookies: {
      viewer: await signIn(post, members.viewer),
      editor: await signIn(post, members.editor),
      owner: ours.cookie,
      stranger: theirs.cookie,
    },
    keys: {
      read: await key("read"),
      write: await key("write"),
      admin: await key("admin"),
      secrets: await key("secrets"),
    },
    theirs: {
      authorization: theirs.world.mine,
      key: theirs.world.apiKey,
      userToken: theirs.user.token,
    },
    expired,
    elsewhere: ours.things(),
  };
}

type Asks = Pick<World, "ask" | "mine" | "accept">;

async function keyOf({ ask, mine }: Asks, scopes: string[], expiresAt?: Date): Promise<string> {
  const body = { name: "k", scopes, ...(expiresAt && { expiresAt: expiresAt.toISOString() }) };
  return (await ask("POST", "/v1/keys", { body, headers: { authorization: mine } })).body.key;
}

export async function memberOf(
  world: Asks,
  role: string,
): Promise<{ email: string; password: string }> {
  const body = { email: `${role}-${crypto.randomUUID()}@member.example`, role };
  const headers = { authorization: world.mine };
  const invited = await world.ask("POST", "/v1/members", { body, headers });
  await world.accept(invited.body.invitation, GUESTS_PASSWORD);
  return { email: body.email, password: GUESTS_PASSWORD };
}

/** The cookie of a member who signs in to the console. */
export async function signIn(
  post: Arena["send"],
  owner: { email: string; password: string },
): Promise<string> {
  const answer = await postForm(post, "/console/sign-in", owner);
  if (answer.status !== 303)
    throw new Error(`The sign-in to the console answered ${answer.status}`);
  return cookieOf(answer);
}

const cookieOf = ({ headers }: Answer): string =>
  [headers["set-cookie"] ?? []]
    .flat()
    .map((text) => text.split(";")[0])
    .join("; ");

function postForm(
  post: Arena["send"],
  path: string,
  fields: Record<string, string>,
): Promise<Answer> {
  return post({
    method: "POST",
    path,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString(),
  });
}

/** Another organization, as rows; what its administrator says. */
function foundSecond({ state }: Stack): string {
  const [path = ""] = globSync(`${state}/v3/d1/miniflare-D1DatabaseObject/*.sqlite`).filter(
    (file) => !file.endsWith("metadata.sqlite"),
  );
  const hash = (secret: string) => createHash("sha256").update(secret).digest("base64url");
  const [user, organization] = ["user-secret-of-theirs", "organization-secret-of-theirs"];
  const db = new DatabaseSync(path);
  db.prepare(
    "INSERT INTO organizations (id, name, secret_hash, settings, created_at) VALUES (2, 'Theirs', ?, '{}', 1)",
  ).run(hash(organization));
  db.prepare(
    "INSERT INTO users (organization_id, email, secret_hash, password_hash, role, created_at) VALUES (2, 'otto@theirs.example', ?, '', 'admin', 1)",
  ).run(hash(user));
  db.close();
  return `User ${user}, Organization ${organization}`;
}

/** An attack that the limits on one address would stop comes from many. */
const anyAddress = (): string =>
  `198.${18 + Math.floor(Math.random() * 2)}.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`;

/** Asks until something is there. */
export async function eventually<T>(probe: () => Promise<T | undefined | false>): Promise<T> {
  for (const giveUpAt = Date.now() + WAIT_MS; Date.now() < giveUpAt;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    await sleep(20);
  }
  throw new Error("It never came to hold");
}
