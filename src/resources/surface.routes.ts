import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { auditedOutlets } from "../accounts/audit.io";
import { limitFailures } from "../http/failure-limit";
import type { RequestIdEnv } from "../http/surface";
import { agentRoutes } from "./agents.routes";
import { discoveryRoutes } from "./discovery/routes";
import { logRoutes } from "./log/routes";
import type { ApisEnv } from "./read.io";
import { resourceRoutes as itemRoutes } from "./routes";

/** The request's id is the correlation id of its changes: a UUID on this surface. */
export const withCorrelationId = createMiddleware<RequestIdEnv>(async (c, next) => {
  c.set("requestId", crypto.randomUUID());
  await next();
});

/** What every error of this surface says about its request (reference resource-api.md §6). */
export function errorMeta(c: Context): Record<string, string> {
  const asker: ApisEnv["Variables"]["asker"] | undefined = c.get("asker");
  return {
    instanceId: c.req.header("x-axway-instance-id") ?? "tributary",
    ...(asker === undefined
      ? {}
      : {
          tenantId: String(asker.organizationId),
          authenticatedUserId: String(asker.userId),
        }),
  };
}

/** API resources and their log (reference resource-api.md). */
export const resourceRoutes = {
  apis: new Hono<ApisEnv>()
    .use(limitFailures, auditedOutlets, withCorrelationId)
    .route("/", discoveryRoutes)
    .route("/", itemRoutes),
  agents: agentRoutes,
  events: new Hono<ApisEnv>().use(withCorrelationId, limitFailures).route("/", logRoutes),
};
