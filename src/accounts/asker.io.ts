import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { readConfig } from "../config";
import { forbidden, unauthenticated } from "../http/refusal";
import { parseAuthorization } from "./authorization";
import { holds, type Scope } from "./scope";
import type { Watched } from "./watch.io";
import { equalSecrets } from "./secret";
import { withTenants } from "./tenants/reached.io";
import { ownerNamed } from "./members/member-secrets";
import { type Asker, findByApiKey, findByMemberSecrets, findBySecrets } from "./store";

/** Who is asking, for every room's handlers. */
export type AskerEnv = {
  Bindings: Env;
  Variables: {
    asker: Asker;
    elementToken?: string;
    subject?: string;
    byOrganization?: boolean;
    watched?: Watched;
  };
};

/**
 * The connector surface: `User` and `Organization`, or `User` and `Element`
 * (reference connector-events-api.md §1). Whether the Element token fits is for the instances to say.
 */
export const withSecrets: MiddlewareHandler<AskerEnv> = createMiddleware<AskerEnv>(
  async (c, next) => {
    const credentials = parseAuthorization(c.req.header("authorization"));
    if (credentials.kind === "malformed") throw unauthenticated(credentials.message);
    if (credentials.kind !== "secrets")
      throw unauthenticated("Expected 'Authorization: User <secret>, Organization <secret>'");
    const { user, organization, element } = credentials;
    if (organization === undefined && element === undefined)
      throw unauthenticated(
        "Expected an 'Organization' secret or an 'Element' token beside 'User'",
      );
    c.set("asker", await secretsAsker(c.env, user, organization));
    c.set("byOrganization", organization !== undefined);
    if (element !== undefined) c.set("elementToken", element);
    await next();
  },
);

/**
 * Our own surface: `Bearer <api key>`, or the connector surface's secrets. GET needs the scope `look`, all else
 * `change`. A key with limits gets in only where the handlers show no more than it reaches: with `limits: "kept"`, what
 * belongs to its tenants is among its limits; with `limits: "tenants"` only keys that are limited to tenants get in.
 */
export const withKey = (
  change: Scope = "write",
  { look = "read", limits }: { look?: Scope; limits?: "kept" | "tenants" } = {},
): MiddlewareHandler<AskerEnv> =>
  createMiddleware<AskerEnv>(async (c, next) => {
    const asker = await askerOf(c, parseAuthorization(c.req.header("authorization")));
    c.set("asker", asker);
    admit(asker, isLook(c) ? look : change);
    if (asker.limits !== undefined && limits === "kept") {
      const reached = await withTenants(c.env.DB, asker.organizationId, asker.limits);
      c.set("asker", { ...asker, limits: reached });
    } else if (limits !== "tenants" || asker.limits?.tenants.length === 0) refuseLimits(asker);
    await next();
  });

/**
 * The resource surface (reference resource-api.md §2): `Bearer <api key>`, or Basic whose password is the
 * key; `X-Axway-Tenant-Id`, when sent, must be the key's organization.
 */
export const withToken: MiddlewareHandler<AskerEnv> = createMiddleware<AskerEnv>(
  async (c, next) => {
    const credentials = parseAuthorization(c.req.header("authorization"));
    if (credentials.kind !== "bearer" && credentials.kind !== "basic")
      throw unauthenticated("Expected 'Authorization: Bearer <api key>'");
    const token = credentials.kind === "bearer" ? credentials.token : credentials.password;
    const asker = await keyAsker(c, token);
    c.set("asker", asker);
    const tenant = c.req.header("x-axway-tenant-id") ?? "";
    if (tenant !== "" && tenant !== String(asker.organizationId))
      throw forbidden(`The key does not belong to the tenant '${tenant}'`);
    admit(asker, isLook(c) ? "read" : "write");
    refuseLimits(asker);
    await next();
  },
);

/**
 * What concerns organizations as such: `Bearer <bootstrap key>` for all of them, without an asker, or an owner's
 * credentials for their own.
 */
export const operatorOrOwner: MiddlewareHandler<AskerEnv> = createMiddleware<AskerEnv>(
  async (c, next) => {
    const credentials = parseAuthorization(c.req.header("authorization"));
    const { bootstrapKey } = readConfig(c.env);
    const isOperator =
      bootstrapKey !== undefined &&
      credentials.kind === "bearer" &&
      equalSecrets(credentials.token, bootstrapKey);
    if (!isOperator) {
      const asker = await askerOf(c, credentials);
      admit(asker, "admin");
      refuseLimits(asker);
      c.set("asker", asker);
    }
    await next();
  },
);

const isLook = ({ req }: { req: { method: string } }): boolean =>
  req.method === "GET" || req.method === "HEAD";

/** @throws Refusal `forbidden` naming the scope that is missing. */
function admit({ scopes }: Asker, needed: Scope): void {
  if (!holds(scopes, needed)) throw forbidden(`The key lacks the scope '${needed}'`);
}

/** For what concerns the whole organization. @throws Refusal `forbidden` to a key that has limits. */
export function refuseLimits({ limits }: Asker): void {
  if (limits !== undefined)
    throw forbidden("The key is limited to some sources, destinations or tenants");
}

/** As much of a request's context as it takes to look up a key. */
type Caller = { env: Env; executionCtx: Pick<ExecutionContext, "waitUntil"> };

/** The asker of an API key. @throws Refusal `unauthenticated` when it is none. */
async function keyAsker(c: Caller, key: string): Promise<Asker> {
  const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const asker = await findByApiKey(c.env.DB, key, Date.now(), later);
  if (asker === undefined) throw unauthenticated("Invalid or expired API key");
  return asker;
}

/** The asker of an API key that may change the whole organization. @throws Refusal when it is none. */
export async function organizationKey(c: Caller, key: string): Promise<Asker> {
  const asker = await keyAsker(c, key);
  admit(asker, "write");
  refuseLimits(asker);
  return asker;
}

/** @throws Refusal `unauthenticated` for secrets that are nobody's, or don't belong together. */
async function secretsAsker(
  env: Env,
  user: string,
  organization: string | undefined,
): Promise<Asker> {
  const now = Date.now();
  const asker =
    ownerNamed(user) === undefined
      ? await findBySecrets(env.DB, user, organization, now)
      : await findByMemberSecrets(env.DB, readConfig(env).sessionKey, { user, organization }, now);
  if (asker === undefined) throw unauthenticated("Invalid User or Organization secret");
  return asker;
}

async function askerOf(
  c: Caller,
  credentials: ReturnType<typeof parseAuthorization>,
): Promise<Asker> {
  switch (credentials.kind) {
    case "bearer":
      return keyAsker(c, credentials.token);
    case "secrets": {
      if (credentials.organization === undefined)
        throw unauthenticated("Expected an 'Organization' secret");
      return secretsAsker(c.env, credentials.user, credentials.organization);
    }
    case "malformed":
      throw unauthenticated(credentials.message);
    case "basic":
    case "none":
      throw unauthenticated("Expected 'Authorization: Bearer <api key>'");
  }
}
