import { createMiddleware } from "hono/factory";

const METHODS = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key";
const EXPOSED = "X-Event-Id, Idempotency-Replayed, Retry-After";

export const ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The app surface has no prefix of its own: these are the paths that belong to it. */
export const APP_PATHS = [
  "user",
  "plugins",
  "app-events",
  "component",
  "variables",
  "flows",
  "triggers",
  "integrations",
  "apps",
  "components",
  "modifiers",
  "drafts",
  "unprocessed-messages",
  "logs",
].map((part) => `/${part}/*`);

/** Paths of the other surfaces: what begins otherwise is the app surface's, also where nothing is. */
const OTHERS = /^\/(?:elements|v1|apis|events|console|health|readyz|openapi\.json|docs)(?:\/|$)/;

/**
 * Lets browsers of the configured origins call (reference app-events-api.md §1): the origin is echoed, on errors too;
 * `OPTIONS` is answered without authentication; cookies are not allowed.
 */
export const cors = (originsOf: (env: Env) => readonly string[]) =>
  createMiddleware<{ Bindings: Env }>(async (c, next) => {
    if (OTHERS.test(c.req.path)) return next();
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
