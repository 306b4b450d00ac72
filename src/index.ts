import { app } from "./app";
import { readConfig } from "./config";
import { consumeDeliveries } from "./delivery/consumer";
import { flowHandler } from "./flows/consumer";
import { tickFlows } from "./flows/cron";
import { consumePolls } from "./polling/consumer";
import { tick } from "./polling/cron";

export { EventStream } from "./events/object";

/** Messages no consumer could handle, after all their retries: said aloud, never silently dropped. */
function consumeDead(batch: MessageBatch): void {
  for (const { id, attempts, body } of batch.messages)
    console.error(
      JSON.stringify({ at: "dead-letter", id, attempts, bytes: JSON.stringify(body).length }),
    );
  batch.ackAll();
}

export default {
  fetch: app.fetch,

  async scheduled({ scheduledTime }, env) {
    await tick(scheduledTime, { db: env.DB, polls: env.POLLS, config: readConfig(env) });
    await tickFlows(scheduledTime, { db: env.DB, streams: env.EVENT_STREAMS });
  },

  async queue(batch, env) {
    const config = readConfig(env);
    const doors = { db: env.DB, streams: env.EVENT_STREAMS, polls: env.POLLS, config };
    switch (batch.queue) {
      case "tributary-polls":
        return consumePolls(batch, doors);
      case "tributary-deliveries":
      case "tributary-deliveries-slow":
        return consumeDeliveries(batch, {
          ...doors,
          handlers: { "flow-step": flowHandler(doors) },
        });
      default:
        return consumeDead(batch);
    }
  },
} satisfies ExportedHandler<Env>;
