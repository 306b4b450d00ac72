import { app } from "./app";
import { readConfig } from "./config";
import { isolate } from "./delivery/admission.io";
import { consumeDeliveries, type DeliveryDoors } from "./delivery/deliveries.consumer";
import { tidy } from "./operations/retention.cron";
import { consumeUndeliverable } from "./delivery/dead-letter.consumer";
import { announcer } from "./stream/announce.io";
import { flowHandler } from "./flows/steps/handler.io";
import { tickFlows } from "./flows/tick.cron";
import { consumePolls } from "./polling/polls.consumer";
import { tick } from "./polling/tick.cron";
import type { PollDoors } from "./polling/commit.io";
import { tickResources } from "./resources/tick.cron";

export { Endpoint } from "./delivery/endpoint.object";
export { EventStream } from "./stream/stream.object";
export { VendorBudget } from "./hub/budget/vendor-budget.object";

/** What every door of this deployment opens onto. */
function doorsOf(env: Env): DeliveryDoors & PollDoors {
  const doors = {
    db: env.DB,
    streams: env.EVENT_STREAMS,
    endpoints: env.ENDPOINTS,
    isolate,
    polls: env.POLLS,
    budgets: env.VENDOR_BUDGETS,
    config: readConfig(env),
  };
  return {
    ...doors,
    inside: async (request) => app.fetch(request, env),
    handlers: { "flow-step": flowHandler(doors) },
    announce: announcer(doors),
  };
}

export default {
  fetch: app.fetch,

  async scheduled({ scheduledTime }, env) {
    const doors = doorsOf(env);
    await Promise.all([
      // Flows start at the minute that the schedule has come to.
      tick(scheduledTime, doors).then(() => tickFlows(scheduledTime, doors)),
      tickResources(Date.now(), doors),
      tidy(scheduledTime, doors),
    ]);
  },

  async queue(batch, env, context) {
    const doors = doorsOf(env);
    if (batch.queue === "tributary-polls") return consumePolls(batch, doors);
    return batch.queue.startsWith("tributary-deliveries")
      ? consumeDeliveries(batch, doors, (work) => context.waitUntil(work))
      : consumeUndeliverable(batch);
  },
} satisfies ExportedHandler<Env>;
