import { createMiddleware } from "hono/factory";
import { readConfig } from "../config";
import { forbidden } from "../http/refusal";

/**
 * Refuses what another site sends, or sends without saying where from: browsers name the `Origin` of whatever is no
 * GET, whatever type it has.
 */
export const fromHere = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const origin = c.req.header("origin");
  const own = [new URL(c.req.url).origin, readConfig(c.env).publicUrl];
  if (!["GET", "HEAD"].includes(c.req.method) && (origin === undefined || !own.includes(origin)))
    throw forbidden("This form was sent from somewhere else");
  return next();
});
