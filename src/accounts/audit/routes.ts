import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import type { RequestIdEnv } from "../../http/surface";
import { recordAudit } from "../keys/store";
import type { AskerEnv } from "../routes";

/** Changes that are traffic rather than administration, and reads that happen to be posted. */
const NOT_CHANGES = /\/(poll|test|oauth\/url|bootstrap)$|\/events\//;
const READABLE_SECRET = /\/signing-secret$/;
const MOST_BODY = 256 * 1024;

/**
 * Writes every granted change, and every look at a secret, into the audit log: who, what, on what, and
 * the names of the members that were sent.
 */
export const audited = createMiddleware<AskerEnv & RequestIdEnv>(async (c, next) => {
  const { method, path } = c.req;
  const looksAtSecret = method === "GET" && READABLE_SECRET.test(path);
  if (
    !looksAtSecret &&
    (method === "GET" || method === "HEAD" || method === "OPTIONS" || NOT_CHANGES.test(path))
  ) {
    await next();
    return;
  }
  const copy =
    Number(c.req.header("content-length") ?? 0) <= MOST_BODY ? c.req.raw.clone() : undefined;
  await next();
  const asker = c.var.asker as AskerEnv["Variables"]["asker"] | undefined;
  if (asker === undefined || c.res.status >= 400) return;
  const pattern = matchedRoutes(c).findLast((route) => route.method !== "ALL")?.path ?? path;
  await recordAudit(c.env.DB, {
    organizationId: asker.organizationId,
    at: Date.now(),
    actor: asker.name,
    action: `${method} ${pattern}`,
    target: path,
    requestId: c.get("requestId"),
    changes: copy === undefined ? [] : await memberNames(copy),
  });
});

async function memberNames(request: Request): Promise<string[]> {
  try {
    const body: unknown = await request.json();
    if (typeof body !== "object" || body === null) return [];
    return Object.entries(body).flatMap(([name, value]) =>
      name === "configuration" && typeof value === "object" && value !== null
        ? Object.keys(value).map((key) => `configuration.${key}`)
        : name,
    );
  } catch {
    return [];
  }
}
