import { app } from "./app";
import { Clock } from "./operations/local-clock.object";
import { consumeParts, doorsOf } from "./wiring";
import { consumeDeliveries } from "./delivery/deliveries.consumer";
import { tidy } from "./operations/retention.cron";
import { logSample } from "./http/log-sample.io";
import { consumeUndeliverable } from "./delivery/dead-letter.consumer";
import { tickFlows } from "./flows/tick.cron";
import { consumePublications } from "./publish/publications.consumer";
import { consumePolls } from "./polling/polls.consumer";
import { tick } from "./polling/tick.cron";
import { tickResources } from "./resources/tick.cron";

export { Directory } from "./db/directory/directory.object";
export { Endpoint } from "./delivery/endpoint.object";
export { EventStream } from "./stream/stream.object";
export { VendorBudget } from "./hub/budget/vendor-budget.object";

async function onMinute(scheduledTime: number, env: Env): Promise<void> {
  const doors = doorsOf(env, app.fetch);
  await logSample(doors.config.logSampling, { at: "tick" }, () =>
    Promise.all([
      // Flows start at the minute that the schedule has come to.
      tick(scheduledTime, doors).then(() => tickFlows(scheduledTime, doors)),
      tickResources(Date.now(), doors),
      tidy(scheduledTime, doors),
    ]),
  );
}

/** The cron of a local stack. */
export class LocalClock extends Clock {
  override onMinute = (scheduledTime: number) => onMinute(scheduledTime, this.env);
}

export default {
  fetch: app.fetch,

  scheduled: ({ scheduledTime }, env) => onMinute(scheduledTime, env),

  async queue(batch, env, context) {
    const doors = doorsOf(env, app.fetch);
    const consume = async (): Promise<void> => {
      if (batch.queue.startsWith("tributary-polls")) return consumePolls(batch, doors);
      if (batch.queue === "tributary-ticks") return consumeParts(batch, doors);
      const publisher = doors.config.publishQueues.get(batch.queue);
      if (publisher !== undefined) return consumePublications(batch, doors, publisher);
      return batch.queue.startsWith("tributary-deliveries")
        ? consumeDeliveries(batch, doors, (work) => context.waitUntil(work))
        : consumeUndeliverable(batch);
    };
    const what = { at: "queue", queue: batch.queue, messages: batch.messages.length };
    await logSample(doors.config.logSampling, what, consume);
  },
} satisfies ExportedHandler<Env>;
