import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { forbidden, unauthenticated } from "../http/refusal";
import { parseAuthorization } from "./authorization";
import { type Asker, findByApiKey, findBySecrets, type Scope } from "./store";

/** Who is asking, for every room's handlers. */
export type AskerEnv = {
  Bindings: Env;
  Variables: { asker: Asker; elementToken?: string; byOrganization?: boolean };
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
    const asker = await findBySecrets(c.env.DB, user, organization, Date.now());
    if (asker === undefined) throw unauthenticated("Invalid User or Organization secret");
    c.set("asker", asker);
    c.set("byOrganization", organization !== undefined);
    if (element !== undefined) c.set("elementToken", element);
    await next();
  },
);

/** Our own surface: `Bearer <api key>`, or the connector surface's secrets. GET needs `read`, all else `scope`. */
export const withKey = (scope: Exclude<Scope, "read"> = "write"): MiddlewareHandler<AskerEnv> =>
  createMiddleware<AskerEnv>(async (c, next) => {
    const credentials = parseAuthorization(c.req.header("authorization"));
    const asker = await askerOf(c.env.DB, credentials);
    const needed = c.req.method === "GET" || c.req.method === "HEAD" ? "read" : scope;
    if (!asker.scopes.includes(needed)) throw forbidden(`The key lacks the scope '${needed}'`);
    c.set("asker", asker);
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
    const asker = await findByApiKey(c.env.DB, token, Date.now());
    if (asker === undefined) throw unauthenticated("Invalid or expired API key");
    const tenant = c.req.header("x-axway-tenant-id") ?? "";
    if (tenant !== "" && tenant !== String(asker.organizationId))
      throw forbidden(`The key does not belong to the tenant '${tenant}'`);
    const needed = c.req.method === "GET" || c.req.method === "HEAD" ? "read" : "write";
    if (!asker.scopes.includes(needed)) throw forbidden(`The key lacks the scope '${needed}'`);
    c.set("asker", asker);
    await next();
  },
);

async function askerOf(
  db: D1Database,
  credentials: ReturnType<typeof parseAuthorization>,
): Promise<Asker> {
  const now = Date.now();
  switch (credentials.kind) {
    case "bearer": {
      const asker = await findByApiKey(db, credentials.token, now);
      if (asker === undefined) throw unauthenticated("Invalid or expired API key");
      return asker;
    }
    case "secrets": {
      if (credentials.organization === undefined)
        throw unauthenticated("Expected an 'Organization' secret");
      const asker = await findBySecrets(db, credentials.user, credentials.organization, now);
      if (asker === undefined) throw unauthenticated("Invalid User or Organization secret");
      return asker;
    }
    case "malformed":
      throw unauthenticated(credentials.message);
    case "basic":
    case "none":
      throw unauthenticated("Expected 'Authorization: Bearer <api key>'");
  }
}
