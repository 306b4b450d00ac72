import { Hono } from "hono";
import { audited, auditedUsers } from "./accounts/audit.io";
import { accountRoutes } from "./accounts/surface.routes";
import { appEventRoutes } from "./app-events/surface.routes";
import { pages } from "./console/surface.routes";
import { flowRoutes } from "./flows/surface.routes";
import { ALL, APP_PATHS } from "./http/cors";
import { elementsHeaders, refuseAsync } from "./http/elements-headers";
import { limitFailures } from "./http/failure-limit";
import { healthRoutes } from "./http/health.routes";
import { requireAll } from "./http/required.io";
import { routedPath } from "./http/routed-path";
import { openApiRoutes } from "./http/openapi";
import { answerErrors, answerUnknown, sampled, unknownRoute, withRequestId } from "./http/surface";
import { pollingRoutes } from "./polling/routes";
import { errorMeta, resourceRoutes } from "./resources/surface.routes";
import { appCors, elements, inbound, operations } from "./wiring";

/** Connectors, instances, hubs and events (reference connector-events-api.md). */
const elementsSurface = new Hono()
  .use(elementsHeaders, limitFailures)
  .route("/", inbound)
  .use(refuseAsync, audited)
  .route("/", accountRoutes.elements)
  .route("/", pollingRoutes.elements)
  .route("/", elements)
  .onError(answerErrors("elements"));

/** Our own surface (reference v1-api.md). */
const v1 = new Hono()
  .use(limitFailures, audited)
  .route("/", accountRoutes.v1)
  .route("/", pollingRoutes.v1)
  .route("/", operations)
  .all("*", unknownRoute("No route"))
  .onError(answerErrors("v1"));

/** Users, app events and flows (reference app-events-api.md): open to browsers of the configured origins. */
const apps = new Hono()
  .use(appCors)
  .on(ALL, APP_PATHS, limitFailures)
  .on(ALL, APP_PATHS, auditedUsers)
  .route("/", accountRoutes.app)
  .route("/", appEventRoutes)
  .route("/", flowRoutes)
  .onError(answerErrors("app"));

export const app = new Hono<{ Bindings: Env }>({ getPath: routedPath })
  .route("/", healthRoutes)
  .use(withRequestId, requireAll, sampled, accountRoutes.beginLocally)
  .route("/elements/api-v2", elementsSurface)
  .route("/v1", v1)
  .route("/", pages)
  .route("/", openApiRoutes(v1))
  .route("/apis", resourceRoutes.apis.onError(answerErrors("apis", errorMeta)))
  .route("/events", resourceRoutes.events.onError(answerErrors("apis", errorMeta)))
  .route("/", resourceRoutes.agents.onError(answerErrors("apis", errorMeta)))
  .route("/", apps)
  .notFound(answerUnknown);
