import { createMiddleware } from "hono/factory";

const METHODS = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key";
const EXPOSED = "X-Event-Id, Idempotency-Replayed, Retry-After";

export const ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The app surface has no prefix of its own: paths that begin so are its. */
export const APP_PATHS = [
  "user",
  "plugins",
  "app-events",
  "component",
  "variables",
  "flows",
  "triggers",
  "integrations",
  "drafts",
  "unprocessed-messages",
  "logs",
].map((part) => `/${part}/*`);

/**
 * Browsers of the configured origins may call (reference app-events-api.md §1): the origin is echoed,
 * on errors too; `OPTIONS` is answered before anybody asks who is calling; no credentials.
 */
export const cors = (originsOf: (env: Env) => readonly string[]) =>
  createMiddleware<{ Bindings: Env }>(async (c, next) => {
    const allowed = originsOf(c.env);
    const origin = c.req.header("origin");
    c.header("Vary", "Origin");
    if (origin !== undefined && (allowed.includes("*") || allowed.includes(origin))) {
      c.header("Access-Control-Allow-Origin", origin);
      c.header("Access-Control-Expose-Headers", EXPOSED);
      if (c.req.method === "OPTIONS") {
        c.header("Access-Control-Allow-Methods", METHODS);
        c.header("Access-Control-Allow-Headers", REQUEST_HEADERS);
        c.header("Access-Control-Max-Age", "600");
      }
    }
    if (c.req.method === "OPTIONS") return c.body(null, 204);
    return next();
  });
