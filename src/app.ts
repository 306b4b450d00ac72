import { Hono } from "hono";
import { generateSpecs, type GenerateSpecOptions } from "hono-openapi";
import { audited, auditedOutlets, auditedUsers } from "./accounts/audit.io";
import { keyRoutes } from "./accounts/keys.routes";
import { bootstrapRoutes } from "./accounts/routes";
import { accountSettingsRoutes } from "./accounts/settings.routes";
import { userRoutes } from "./accounts/users/routes";
import { historyRoutes as appEventHistoryRoutes } from "./app-events/history.routes";
import { appEventRoutes } from "./app-events/routes";
import { variableRoutes } from "./app-events/variables.routes";
import { coordinatorRoutes } from "./flows/coordinator.routes";
import { listRoutes as flowListRoutes } from "./flows/list/routes";
import { logRoutes as flowLogRoutes } from "./flows/logs/routes";
import { flowRoutes } from "./flows/routes";
import { templateRoutes } from "./flows/templates/routes";
import { unprocessedRoutes } from "./flows/unprocessed/routes";
import { webhookRoutes } from "./flows/webhooks.routes";
import { cors as corsFor } from "./http/cors";
import { readConfig } from "./config";
import { docsPage } from "./http/docs";
import { consoleRoutes } from "./console/routes";
import { keyring } from "./db/sealed";
import { deliveryRoutes } from "./operations/deliveries.routes";
import type { TellOwner } from "./operations/destinations/owner";
import { destinationRoutes } from "./operations/destinations/routes";
import { organizationRoutes } from "./operations/organization.routes";
import { streamRoutes } from "./operations/streams.routes";
import { usageRoutes } from "./operations/usage/routes";
import { notFound } from "./http/refusal";
import { refuse, type RequestIdEnv, withRequestId } from "./http/surface";
import { extract, extractionFault } from "./inbound/extract";
import { registrar } from "./inbound/registration/registrar.io";
import { inboundWebhooks } from "./inbound/routes";
import { ownConnectorRoutes } from "./elements/catalog/user-connectors.routes";
import { catalogRoutes } from "./elements/catalog/routes";
import { historyRoutes } from "./elements/history/routes";
import { hubRoutes, shortHubRoutes } from "./elements/hub.routes";
import { notificationRoutes } from "./elements/notifications/routes";
import { configurationOfPolicy } from "./instances/policy";
import { elementInstanceRoutes } from "./elements/catalog/element-instances.routes";
import { InstanceEdits } from "./elements/edit.io";
import { instanceRoutes } from "./elements/instances.routes";
import { changeConfiguration, connectorKeys } from "./instances/store";
import { elementsHeaders, refuseAsync } from "./http/elements";
import { signingSecretRoutes } from "./elements/signing.routes";
import { preview } from "./polling/preview";
import { pollerRecordRoutes, pollRoutes } from "./polling/routes";
import { pollingFault } from "./polling/settings";
import { discoveryRoutes } from "./resources/discovery/routes";
import { listenersChange } from "./resources/listeners.store";
import { logRoutes } from "./resources/log/routes";
import { errorMeta, resourceRoutes, withCorrelationId } from "./resources/routes";

const ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

type AppEnv = { Bindings: Env } & RequestIdEnv;

const instanceEdits = new InstanceEdits(pollingFault, registrar);

/** The connector surface (reference connector-events-api.md). Static paths come before `/instances/:id`. */
const elements = new Hono<AppEnv>()
  .use(elementsHeaders)
  .route("/", inboundWebhooks)
  .use(refuseAsync)
  .use(audited)
  .route("/", ownConnectorRoutes({ pollingFault, extractionFault, extract, preview }))
  .route("/", elementInstanceRoutes(instanceEdits))
  .route("/", catalogRoutes)
  .route("/", accountSettingsRoutes)
  .route("/", pollerRecordRoutes)
  .route("/", historyRoutes)
  .route("/", notificationRoutes)
  .route("/", instanceRoutes(instanceEdits))
  .route("/", hubRoutes)
  .route("/", shortHubRoutes)
  .onError(refuse("elements"));

/** An instance says in its configuration what is said of its destination; changes hear of a Webhook's. */
const tellOwner: TellOwner = async (c, { destination }, change) => {
  if (destination.kind === "webhook")
    await listenersChange(c.env.DB, destination.organizationId).run();
  if (destination.kind !== "instance") return;
  const { masterKeys } = readConfig(c.env);
  const words = configurationOfPolicy(change);
  await changeConfiguration(
    c.env.DB,
    keyring(masterKeys),
    destination.organizationId,
    Number(destination.ownerId),
    words,
    Date.now(),
  );
};

/** Our own surface (reference v1-api.md). */
const v1 = new Hono<AppEnv>()
  .use(audited)
  .route("/", bootstrapRoutes)
  .route("/", pollRoutes)
  .route("/", signingSecretRoutes)
  .route("/", streamRoutes)
  .route("/", deliveryRoutes)
  .route("/", destinationRoutes(tellOwner))
  .route("/", usageRoutes(connectorKeys))
  .route("/", keyRoutes)
  .route("/", organizationRoutes)
  // Not `notFound`: that of a mounted app is never asked.
  .all("*", (c) => {
    throw notFound(`No route ${c.req.method} ${c.req.path}`);
  })
  .onError(refuse("v1"));

const documentation: GenerateSpecOptions["documentation"] = {
  info: {
    title: "Tributary",
    version: "1",
    description: "Operations API: deliveries, streams, destinations, keys, usage.",
  },
  components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
  security: [{ key: [] }],
};
/** API resources and their log (reference resource-api.md). */
const apis = new Hono<AppEnv>()
  .use(withCorrelationId)
  .use(auditedOutlets)
  .route("/", discoveryRoutes)
  .route("/", resourceRoutes)
  .onError(refuse("apis", errorMeta));
const log = new Hono<AppEnv>()
  .use(withCorrelationId)
  .route("/", logRoutes)
  .onError(refuse("apis", errorMeta));

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

const cors = corsFor((env) => readConfig(env).corsOrigins);

/** Users, app events and flows (reference app-events-api.md): open to browsers of the configured origins. */
const apps = new Hono<AppEnv>()
  .use("/", cors)
  .on(
    ALL,
    APP_PATHS.map((part) => `/${part}/*`),
    cors,
  )
  .on(
    ALL,
    APP_PATHS.map((part) => `/${part}/*`),
    auditedUsers,
  )
  .route("/", userRoutes)
  .route("/", appEventRoutes)
  .route("/", appEventHistoryRoutes)
  .route("/", variableRoutes)
  .route("/", webhookRoutes)
  .route("/", templateRoutes)
  .route("/", unprocessedRoutes)
  .route("/", flowLogRoutes)
  .route("/", flowListRoutes)
  .route("/", coordinatorRoutes)
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
  .route("/console", consoleRoutes)
  .get("/health", (c) => c.json({ status: "ok" }))
  .get("/openapi.json", async (c) =>
    c.json(await generateSpecs(new Hono<AppEnv>().route("/v1", v1), { documentation })),
  )
  .get("/docs", (c) => c.html(docsPage()))
  .route("/apis", apis)
  .route("/events", log)
  .route("/", apps);
