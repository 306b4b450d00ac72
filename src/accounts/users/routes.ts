import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { readConfig } from "../../config";
import { addressLimit } from "../../http/address-limit";
import { parse, readTypedJson } from "../../http/body";
import {
  conflict,
  forbidden,
  invalid,
  limited,
  notFound,
  unauthenticated,
} from "../../http/refusal";
import { parseAuthorization } from "../authorization";
import { foldLogin } from "../email";
import { newPassword } from "../passwords/field";
import { verifyPassword } from "../secret";
import { countTry, forgiveTry, type Try } from "../sign-in.store";
import { requireTenant } from "../tenants/required.io";
import { organizationKey } from "../asker.io";
import type { Asker } from "../store";
import { tenantId } from "../tenants/tenant";
import type { ActorEnv } from "../audit.io";
import type { Watched } from "../watch.io";
import {
  changePassword,
  createUser,
  findByLogin,
  firstOrganizationId,
  forgetUser,
  readTokenUser,
  type User,
  whyOut,
} from "./store";
import { signToken, tokenKey, type TokenVerdict, verifyToken } from "./token";
import { Cache } from "../../values/cache";

/** The surface of users, app events and flows: who is asking is the user of a token. */
export type UserEnv = {
  Bindings: Env;
  /** `asker`: of the key that makes a user. */
  Variables: { user: User; requestId: string; asker?: Asker; watched?: Watched };
};

/** What browser clients compare before anything else (reference app-events-api.md §1). */
const VERSION = "6.5.0";
const BODY_BYTES = 64 * 1024;
/** Users that one address makes in a minute by open sign-up, as in `wrangler.toml`. */
export const MOST_SIGN_UPS = 60;
const countSignUp = addressLimit(MOST_SIGN_UPS);

const verified = new Cache<string, Extract<TokenVerdict, { kind: "valid" }>>(10_000);

/** Lets only a user's token pass: HS256, not expired, not revoked. */
export const withUser = createMiddleware<UserEnv>(async (c, next) => {
  c.set("user", await userOf(c.env, c.req.header("authorization")));
  await next();
});

/**
 * The user of a token. `beside` is done while the user is read: the token is proved by then, and who it names may be gone.
 * @throws Refusal `unauthenticated` saying what is wrong with the token.
 */
export async function userOf(
  env: Env,
  header: string | undefined,
  beside?: (userId: number) => void,
): Promise<User> {
  const user = await tokenUser(env, header, beside);
  if (user === undefined) throw unauthenticated("Invalid JWT: the user does not exist");
  return user;
}

/** The user of a token; undefined when there is none any more. */
async function tokenUser(
  env: Env,
  header: string | undefined,
  beside?: (userId: number) => void,
): Promise<User | undefined> {
  const credentials = parseAuthorization(header);
  if (credentials.kind !== "bearer") throw unauthenticated("Missing authentication");
  const now = Date.now();
  const verdict = await verdictOf(credentials.token, readConfig(env).sessionKey, now);
  if (verdict.kind === "invalid") throw unauthenticated(verdict.message);
  beside?.(verdict.userId);
  const user = await readTokenUser(env.DB, verdict.userId, now);
  if (user === undefined) return undefined;
  const why = whyOut(user);
  if (why !== undefined) throw unauthenticated(`Invalid JWT: ${why}`);
  if (user.tokenVersion !== verdict.version) {
    forgetUser(user.id);
    throw unauthenticated("Invalid JWT: the token was revoked");
  }
  return user;
}

async function verdictOf(token: string, sessionKey: string, now: number): Promise<TokenVerdict> {
  const entry = verified.get(token, now);
  if (entry !== undefined) return entry;
  const verdict = await verifyToken(token, tokenKey(sessionKey), now);
  if (verdict.kind === "valid") verified.set(token, verdict, verdict.expiresAt);
  return verdict;
}

const name = z
  .string()
  .min(1)
  .max(256)
  .transform((text) => (text.includes("@") ? text.trim() : text));
const password = z.string().min(1).max(1024);
const signIn = z
  .object({ username: name.optional(), email: name.optional(), password })
  .transform(({ username, email, ...rest }, context) => {
    const login = username ?? email;
    if (login !== undefined) return { ...rest, login };
    context.addIssue({ code: "custom", path: ["username"], message: "Expected username or email" });
    return z.NEVER;
  });
const signUp = z
  .object({
    username: name.optional(),
    email: name.optional(),
    password: newPassword,
    metadata: z.record(z.string(), z.unknown()).optional(),
    tenant: tenantId.optional(),
  })
  .transform((draft, context) => {
    const username = draft.username ?? draft.email;
    const email = draft.email ?? draft.username;
    if (username !== undefined && email !== undefined) return { ...draft, username, email };
    context.addIssue({ code: "custom", path: ["username"], message: "Expected username or email" });
    return z.NEVER;
  });
const change = z.object({
  oldPassword: password,
  newPassword,
});

/** Users (reference app-events-api.md §2). */
export const userRoutes = new Hono<UserEnv & ActorEnv>()
  .get("/", (c) => c.json({ version: VERSION }))
  .post("/user/auth", async (c) => {
    const input = parse(signIn, (await readTypedJson(c, BODY_BYTES)).value);
    const user = await checked(c, input.login, input.password);
    const token = await signToken(user, tokenKey(readConfig(c.env).sessionKey), Date.now());
    const { id, username, isActive, email, plan, metadata } = user;
    const shown = { id: String(id), username, isActive, email, plan };
    return c.json({ user: metadata === null ? shown : { ...shown, metadata }, token });
  })
  .post("/user/sso/refresh", () => {
    throw notFound("Tokens are not refreshed: sign in again");
  })
  .post("/user/change-password", withUser, async (c) => {
    const input = parse(change, (await readTypedJson(c, BODY_BYTES)).value);
    await checked(c, c.var.user.email, input.oldPassword);
    await changePassword(c.env.DB, c.var.user.id, input.newPassword);
    return c.json({});
  })
  .post("/user", async (c) => {
    const key = signUpKey(c);
    const { value } = await readTypedJson(c, BODY_BYTES);
    // Whoever has a wrong key hears of that first.
    const maker = key === undefined ? undefined : await organizationKey(c, key);
    if (maker !== undefined) c.set("asker", maker);
    const input = parse(signUp, value);
    const organizationId = maker?.organizationId ?? (await openOrganization(c));
    const draft = {
      ...input,
      organizationId,
      isEmailVerified: maker !== undefined,
      metadata: input.metadata ?? null,
      tenant: await tenantGiven(c, input.tenant, maker),
    };
    const user = await createUser(c.env.DB, draft, Date.now());
    if (user === undefined) throw conflict(`'${input.username}' is already taken`, "username");
    c.set("actor", { organizationId, name: maker?.name ?? `user:${user.id}` });
    return c.json({
      token: await signToken(user, tokenKey(readConfig(c.env).sessionKey), Date.now()),
    });
  })
  .get("/user", async (c) => {
    const user = await tokenUser(c.env, c.req.header("authorization"));
    // Command-line clients tell this from a token that is to be had anew.
    if (user === undefined) throw notFound("There is no such user");
    const { id, username, isActive, email, metadata, plan } = user;
    return c.json({
      id: String(id),
      username,
      isActive,
      email,
      scope: ["user"],
      metadata: metadata ?? {},
      plan,
    });
  });

/** @throws Refusal `forbidden` for an unknown user and a wrong password alike, `limited` after too many. */
async function checked(c: Context<UserEnv>, login: string, given: string): Promise<User> {
  const now = Date.now();
  const address = c.req.header("cf-connecting-ip") ?? "unknown";
  const tried: Try = { door: "user", name: foldLogin(login), address };
  const until = await countTry(c.env.DB, tried, now);
  if (until !== undefined)
    throw limited("Too many failed sign-ins: try again later", Math.ceil((until - now) / 1000));
  const user = await findByLogin(c.env.DB, login);
  const fits = verifyPassword(given, user?.passwordHash);
  if (user === undefined || !fits || whyOut(user) !== undefined)
    throw forbidden("Invalid username or password");
  await forgiveTry(c.env.DB, tried, now);
  return user;
}

/** The API key that makes a user in its own organization; undefined for open sign-up, in the first one. */
function signUpKey(c: Context<UserEnv>): string | undefined {
  const credentials = parseAuthorization(c.req.header("authorization"));
  const isUserToken = credentials.kind === "bearer" && credentials.token.split(".").length === 3;
  if (credentials.kind !== "none" && !isUserToken) {
    if (credentials.kind !== "bearer") throw unauthenticated("Invalid or expired API key");
    return credentials.token;
  }
  if (readConfig(c.env).signup === "closed") throw forbidden("Sign-up is switched off");
  return undefined;
}

/** The tenant that a new user is of. @throws Refusal `invalid` for one that there isn't, or that open sign-up asks for. */
async function tenantGiven(
  c: Context<UserEnv>,
  id: string | undefined,
  maker: Asker | undefined,
): Promise<string | null> {
  if (id === undefined) return null;
  if (maker === undefined)
    throw invalid("tenant: Only an API key puts a user into a tenant", "tenant");
  return (await requireTenant(c.env.DB, maker.organizationId, id)).id;
}

/** The organization that open sign-up joins. @throws Refusal `limited` for an address that makes too many users. */
async function openOrganization(c: Context<UserEnv>): Promise<number> {
  const address = c.req.header("cf-connecting-ip");
  const seconds =
    address === undefined ? undefined : await countSignUp(c.env.SIGN_UPS, address, Date.now());
  if (seconds !== undefined) throw limited("Too many users were made from this address", seconds);
  const first = await firstOrganizationId(c.env.DB);
  if (first === undefined) throw forbidden("This deployment has no organization yet");
  return first;
}
