import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import { readConfig } from "../config";
import { quoted } from "../values/text";
import { type SurfaceName, toWire } from "./error-map";
import { logSample } from "./log-sample.io";
import { notFound, type Reason, Refusal } from "./refusal";
import { isUnmigrated, sayLacks, UNMIGRATED } from "./required";

export type RequestIdEnv = { Variables: { requestId: string } };

/** Gives every request an id: 24 hex digits. */
export const withRequestId = createMiddleware<RequestIdEnv>(async (c, next) => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  c.set("requestId", Buffer.from(bytes).toString("hex"));
  await next();
});

/** Logs a share of the requests, by their route: a path may hold what is secret. */
export const sampled = createMiddleware<RequestIdEnv & { Bindings: Env }>((c, next) =>
  logSample(
    readConfig(c.env).logSampling,
    { at: "request", requestId: c.var.requestId, method: c.req.method },
    next,
    () => ({ route: routePath(c, -1), status: c.res.status }),
  ),
);

/** Why a request failed; undefined when it is our own fault, which is logged and not shown to the caller. */
export function reasonOf(error: unknown, requestId: string): Reason | undefined {
  if (error instanceof Refusal) return error.reason;
  if (isUnmigrated(error)) return { kind: "unavailable", message: sayLacks([UNMIGRATED]) };
  if (error instanceof HTTPException) return { kind: "invalid", message: error.message };
  console.error(
    JSON.stringify({
      at: "request",
      requestId,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  return undefined;
}

/**
 * The last route of a surface, for paths that no other takes: `<words> GET /v1/nothing`. It is a route because Hono never
 * calls the `notFound` handler of a mounted app.
 */
export const unknownRoute =
  (words: string) =>
  (c: Context): never => {
    throw notFound(`${words} ${c.req.method} ${quoted(c.req.path)}`);
  };

/** The error handler of a surface: whatever was thrown becomes its status and body. */
export const answerErrors =
  (surface: SurfaceName, metaOf: (c: Context) => Record<string, string> = () => ({})) =>
  (error: Error, c: Context): Response => {
    const requestId: string = c.get("requestId") ?? "";
    const { status, body, headers } = toWire(
      surface,
      reasonOf(error, requestId),
      requestId,
      metaOf(c),
    );
    return c.json(body, status, headers);
  };

/** The answer to a path outside every surface. */
export const answerUnknown = (c: Context): Response =>
  answerErrors("app")(notFound(`There is nothing at ${c.req.method} ${quoted(c.req.path)}`), c);
