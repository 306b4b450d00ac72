import { readConfig } from "./config";
import { connectSessionRoutes } from "./console/connect-page/sessions.routes";
import { knowing } from "./console/connectors/knowing";
import { OWNERS } from "./console/destinations/owners.io";
import { tickPart, type TicksQueue } from "./db/tick-parts";
import { startPart } from "./flows/start-due.io";
import { tendLogs } from "./resources/tick.cron";
import { isolate } from "./delivery/admission.io";
import { certificateOf } from "./delivery/certificates.io";
import type { DeliveryDoors } from "./delivery/deliveries.consumer";
import { elementsRoutes } from "./elements/surface.routes";
import { flowHandler } from "./flows/steps/handler.io";
import { cors } from "./http/cors";
import { applicationRoutes } from "./hub/applications/routes";
import { inboundRoutes } from "./inbound/routes";
import { registrar } from "./inbound/registration/registrar.io";
import { traceRoutes } from "./inbound/traces/traces.routes";
import { instanceStateRoutes } from "./instances/state.routes";
import { connectorKeys } from "./instances/list.store";
import { operationsRoutes } from "./operations/routes";
import { eventTypeRoutes } from "./event-types/routes";
import { connectorEventTypes } from "./connectors/event-types";
import type { PollDoors } from "./polling/commit.io";
import { pollDoors } from "./polling/doors.io";
import { polledAs } from "./polling/touched";
import { payloadRoutes } from "./publish/payloads.routes";
import { queueRoutes } from "./publish/queues.routes";
import { publishRoutes } from "./publish/routes";
import { announcer } from "./stream/announce.io";

/** Rooms that have to be told something by rooms above them, and what they open onto. */

export const elements = elementsRoutes(knowing, registrar);

export const operations = operationsRoutes(OWNERS, connectorKeys)
  .route("/", instanceStateRoutes)
  .route("/", applicationRoutes)
  .route("/", traceRoutes(polledAs))
  .route("/", eventTypeRoutes(connectorEventTypes))
  .route("/", publishRoutes)
  .route("/", payloadRoutes)
  .route("/", queueRoutes)
  .route("/", connectSessionRoutes);

export const inbound = inboundRoutes(polledAs);

export const appCors = cors((env) => readConfig(env).corsOrigins);

/** What every door of this deployment opens onto; `fetch` answers what we ask of ourselves. */
export function doorsOf(
  env: Env,
  fetch: (request: Request, env: Env) => Promise<Response> | Response,
): DeliveryDoors & PollDoors & { ticks: TicksQueue } {
  const doors = {
    ...pollDoors(env),
    endpoints: env.ENDPOINTS,
    isolate,
    ticks: env.TICKS,
  };
  return {
    ...doors,
    inside: async (request) => fetch(request, env),
    certificate: (name, organizationId) => certificateOf(env, name, organizationId),
    handlers: { "flow-step": flowHandler(doors) },
    announce: announcer(doors),
  };
}

/** Takes parts of ticks that were too much for one invocation. One that fails is tried again, and found by the next tick. */
export async function consumeParts(
  { messages }: MessageBatch,
  doors: Pick<PollDoors, "db" | "streams">,
): Promise<void> {
  for (const message of messages) {
    const parsed = tickPart.safeParse(message.body);
    if (!parsed.success) {
      console.error(JSON.stringify({ at: "ticks", error: "unreadable message", id: message.id }));
      message.retry();
      continue;
    }
    const part = parsed.data;
    await (part.kind === "flows" ? startPart(doors, part) : tendLogs(part, doors));
    message.ack();
  }
}
