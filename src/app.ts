import { Hono } from "hono";
import { bootstrapRoutes } from "./accounts/routes";
import { accountSettingsRoutes } from "./accounts/settings/routes";
import { userRoutes } from "./accounts/users/routes";
import { historyRoutes as appEventHistoryRoutes } from "./app-events/history/routes";
import { appEventRoutes } from "./app-events/routes";
import { variableRoutes } from "./app-events/variables/routes";
import { logRoutes } from "./flows/logs/routes";
import { templateRoutes } from "./flows/templates/routes";
import { unprocessedRoutes } from "./flows/unprocessed/routes";
import { webhookRoutes } from "./flows/webhooks/routes";
import { flowRoutes } from "./flows/routes";
import { cors } from "./http/cors";
import { notFound } from "./http/refusal";
import { refuse, type RequestIdEnv, withRequestId } from "./http/surface";
import { catalogRoutes } from "./instances/catalog/routes";
import { historyRoutes } from "./instances/history/routes";
import { hubRoutes, shortHubRoutes } from "./instances/hub/routes";
import { instanceRoutes } from "./instances/routes";
import { elementsHeaders } from "./http/elements";
import { signingSecretRoutes } from "./instances/signing/routes";
import { pollerRecordRoutes, pollRoutes } from "./polling/routes";
import { pollingFault } from "./polling/settings";

const ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

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

/** First parts of the paths of the app surface: it has no prefix of its own. */
const APP_PATHS = [
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
];

/** Users, app events and flows (reference `app-events-api.md`): open to browsers of the configured origins. */
const apps = new Hono<AppEnv>()
  .use("/", cors)
  .on(
    ALL,
    APP_PATHS.map((part) => `/${part}/*`),
    cors,
  )
  .route("/", userRoutes)
  .route("/", appEventRoutes)
  .route("/", appEventHistoryRoutes)
  .route("/", variableRoutes)
  .route("/", webhookRoutes)
  .route("/", templateRoutes)
  .route("/", unprocessedRoutes)
  .route("/", logRoutes)
  .route("/", flowRoutes)
  .on(
    ALL,
    APP_PATHS.map((part) => `/${part}/*`),
    (c) => {
      throw notFound(`There is nothing at ${c.req.method} ${c.req.path}`);
    },
  )
  .onError(refuse("app"));

export const app = new Hono<AppEnv>()
  .use(withRequestId)
  .route("/elements/api-v2", elements)
  .route("/v1", v1)
  .get("/health", (c) => c.json({ status: "ok" }))
  .route("/", apps);
