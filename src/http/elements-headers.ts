import { createMiddleware } from "hono/factory";
import { invalid } from "./refusal";
import type { RequestIdEnv } from "./surface";

const EXPOSED =
  "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition";

/** Headers of every answer of the connector surface (reference connector-events-api.md §2). */
export const elementsHeaders = createMiddleware<RequestIdEnv>(async (c, next) => {
  await next();
  c.res.headers.set("Access-Control-Expose-Headers", EXPOSED);
  c.res.headers.set("Elements-Request-Id", c.get("requestId"));
});

/**
 * Asynchronous requests are not built; the header that asks for one is refused, not ignored
 * (reference connector-events-api.md §8).
 */
export const refuseAsync = createMiddleware(async (c, next) => {
  if (c.req.header("Elements-Async-Request")?.toLowerCase() === "true")
    throw invalid("Header 'Elements-Async-Request' is not supported", "Elements-Async-Request");
  await next();
});
