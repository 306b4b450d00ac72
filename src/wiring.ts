import { readConfig } from "./config";
import { isolate } from "./delivery/admission.io";
import type { DeliveryDoors } from "./delivery/deliveries.consumer";
import { elementsRoutes } from "./elements/surface.routes";
import { flowHandler } from "./flows/steps/handler.io";
import { cors } from "./http/cors";
import { extractionFault } from "./inbound/extract";
import { webhookPreview } from "./inbound/preview";
import { inboundRoutes } from "./inbound/routes";
import { registrar } from "./inbound/registration/registrar.io";
import { traceRoutes } from "./inbound/traces/traces.routes";
import { tellInstance } from "./instances/owner.io";
import { connectorKeys } from "./instances/list.store";
import { operationsRoutes } from "./operations/routes";
import type { PollDoors } from "./polling/commit.io";
import { pollDoors } from "./polling/doors.io";
import { preview } from "./polling/preview";
import { pollingFault } from "./polling/settings";
import { polledAs } from "./polling/touched";
import { tellWebhook } from "./resources/listeners.store";
import { announcer } from "./stream/announce.io";

/** Rooms that have to be told something by rooms above them, and what they open onto. */

export const elements = elementsRoutes(
  { pollingFault, preview, extractionFault, extract: webhookPreview(polledAs) },
  registrar,
);

export const operations = operationsRoutes(
  { instance: tellInstance, webhook: tellWebhook },
  connectorKeys,
).route("/", traceRoutes(polledAs));

export const inbound = inboundRoutes(polledAs);

export const appCors = cors((env) => readConfig(env).corsOrigins);

/** What every door of this deployment opens onto; `fetch` answers what we ask of ourselves. */
export function doorsOf(
  env: Env,
  fetch: (request: Request, env: Env) => Promise<Response> | Response,
): DeliveryDoors & PollDoors {
  const doors = {
    ...pollDoors(env),
    endpoints: env.ENDPOINTS,
    isolate,
  };
  return {
    ...doors,
    inside: async (request) => fetch(request, env),
    handlers: { "flow-step": flowHandler(doors) },
    announce: announcer(doors),
  };
}
