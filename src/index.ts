import { app } from "./app";
import { readConfig } from "./config";
import { Standings } from "./delivery/admission/consumer";
import { consumeDeliveries, type DeliveryDoors } from "./delivery/consumer";
import { tidy } from "./delivery/cron";
import { announceEvent } from "./events/operations/store";
import { flowHandler } from "./flows/consumer";
import { tickFlows } from "./flows/cron";
import { consumePolls } from "./polling/consumer";
import { tick } from "./polling/cron";
import type { PollDoors } from "./polling/run/consumer";
import { tickResources } from "./resources/cron";

export { Endpoint } from "./delivery/object";
export { EventStream } from "./events/object";
export { VendorBudget } from "./instances/budget/object";

/** Messages no consumer could handle, after all their retries: said aloud, never silently dropped. */
function consumeDead(batch: MessageBatch): void {
  for (const { id, attempts, body } of batch.messages)
    console.error(
      JSON.stringify({ at: "dead-letter", id, attempts, bytes: JSON.stringify(body).length }),
    );
  batch.ackAll();
}

/** What this isolate may do at each endpoint. */
const standings = new Standings();

/** What every door of this deployment opens onto. */
function doorsOf(env: Env): DeliveryDoors & PollDoors {
  const doors = {
    db: env.DB,
    streams: env.EVENT_STREAMS,
    endpoints: env.ENDPOINTS,
    standings,
    polls: env.POLLS,
    budgets: env.VENDOR_BUDGETS,
    config: readConfig(env),
  };
  return {
    ...doors,
    inside: async (request) => app.fetch(request, env),
    handlers: { "flow-step": flowHandler(doors) },
    async announce({ id, kind, organizationId }, { type, ...data }) {
      if (kind === "operations") return;
      await announceEvent(doors, organizationId, {
        type,
        subject: id,
        data: { destinationId: id, ...data },
      });
    },
  };
}

export default {
  fetch: app.fetch,

  async scheduled({ scheduledTime }, env) {
    const doors = doorsOf(env);
    // Flows start at the minute that the schedule has come to.
    await Promise.all([
      tick(scheduledTime, doors).then(() => tickFlows(scheduledTime, doors)),
      tickResources(Date.now(), doors),
      tidy(scheduledTime, env.DB),
    ]);
  },

  async queue(batch, env) {
    switch (batch.queue) {
      case "tributary-polls":
        return consumePolls(batch, doorsOf(env));
      case "tributary-deliveries":
      case "tributary-deliveries-slow":
        return consumeDeliveries(batch, doorsOf(env));
      default:
        return consumeDead(batch);
    }
  },
} satisfies ExportedHandler<Env>;
