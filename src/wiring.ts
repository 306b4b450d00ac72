import { readConfig } from "./config";
import { elementsRoutes } from "./elements/surface.routes";
import { cors } from "./http/cors";
import { extract, extractionFault } from "./inbound/extract";
import { registrar } from "./inbound/registration/registrar.io";
import { traceRoutes } from "./inbound/traces/traces.routes";
import { tellInstance } from "./instances/owner.io";
import { connectorKeys } from "./instances/list.store";
import { operationsRoutes } from "./operations/routes";
import { preview } from "./polling/preview";
import { pollingFault } from "./polling/settings";
import { tellWebhook } from "./resources/listeners.store";

/** Routes of rooms that have to be told something by rooms above them. */

export const elements = elementsRoutes(
  { pollingFault, preview, extractionFault, extract },
  registrar,
);

export const operations = operationsRoutes(
  { instance: tellInstance, webhook: tellWebhook },
  connectorKeys,
).route("/", traceRoutes);

export const appCors = cors((env) => readConfig(env).corsOrigins);
