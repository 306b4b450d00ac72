import { Hono } from "hono";
import { bootstrapRoutes } from "./accounts/routes";
import { accountSettingsRoutes } from "./accounts/settings/routes";
import { refuse, type RequestIdEnv, withRequestId } from "./http/surface";
import { catalogRoutes } from "./instances/catalog/routes";
import { historyRoutes } from "./instances/history/routes";
import { hubRoutes, shortHubRoutes } from "./instances/hub/routes";
import { instanceRoutes } from "./instances/routes";
import { elementsHeaders } from "./http/elements";
import { signingSecretRoutes } from "./instances/signing/routes";
import { pollerRecordRoutes, pollRoutes } from "./polling/routes";
import { pollingFault } from "./polling/settings";
import { discoveryRoutes } from "./resources/discovery/routes";
import { logRoutes } from "./resources/log/routes";
import { errorMeta, resourceRoutes, withCorrelationId } from "./resources/routes";

type AppEnv = { Bindings: Env } & RequestIdEnv;

/** The connector surface (reference `connector-events-api.md`). Static paths come before `/instances/:id`. */
const elements = new Hono<AppEnv>()
  .use(elementsHeaders)
  .route("/", catalogRoutes)
  .route("/", accountSettingsRoutes)
  .route("/", pollerRecordRoutes)
  .route("/", historyRoutes)
  .route("/", instanceRoutes(pollingFault))
  .route("/", hubRoutes)
  .route("/", shortHubRoutes)
  .onError(refuse("elements"));

/** Our own surface (reference `v1-api.md`). */
const v1 = new Hono<AppEnv>()
  .route("/", bootstrapRoutes)
  .route("/", pollRoutes)
  .route("/", signingSecretRoutes)
  .onError(refuse("v1"));

/** API resources and their log (reference `resource-api.md`). */
const apis = new Hono<AppEnv>()
  .use(withCorrelationId)
  .route("/", discoveryRoutes)
  .route("/", resourceRoutes)
  .onError(refuse("apis", errorMeta));
const log = new Hono<AppEnv>()
  .use(withCorrelationId)
  .route("/", logRoutes)
  .onError(refuse("apis", errorMeta));

export const app = new Hono<AppEnv>()
  .use(withRequestId)
  .route("/elements/api-v2", elements)
  .route("/v1", v1)
  .route("/apis", apis)
  .route("/events", log)
  .get("/health", (c) => c.json({ status: "ok" }));
