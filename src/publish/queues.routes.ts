import { Hono } from "hono";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { readConfig } from "../config";
import { notFound } from "../http/refusal";
import { described } from "../http/route-description";
import { streamName } from "../stream/stream-name";
import { answerOf, OUTCOME, shown } from "../stream/traces/shown";
import { queueSource } from "./publications.consumer";

/** What queues of the application's own brought and could not be published (reference v1-api.md). */
export const queueRoutes = new Hono<AskerEnv>().get(
  "/queues/:queue/inbound",
  withKey(),
  described("Messages of an application's queue that could not be published, newest first", {
    tag: "publish",
    query: OUTCOME,
    answer: answerOf({
      outcome: "refused",
      reason: "type: Expected 1 to 256 letters, digits, '.', '_', '-', '/' or ':'",
      replayable: false,
      request: { method: "QUEUE", url: "queue://orders/f5a2…", headers: {}, body: '{"data":1}' },
    }),
  }),
  async (c) => {
    const queue = c.req.param("queue");
    const { organizationId } = c.var.asker;
    const { publishQueues } = readConfig(c.env);
    if (publishQueues.get(queue) !== organizationId)
      throw notFound(`No queue '${queue.slice(0, 100)}' is published from`);
    const stream = streamName({ organizationId, source: queueSource(queue) });
    const { items, ...others } = shown(
      await c.env.EVENT_STREAMS.getByName(stream).traces(),
      c.req.query("outcome"),
    );
    // The queue has them no more: whoever put them there puts them there again.
    return c.json({ ...others, items: items.map((item) => ({ ...item, replayable: false })) });
  },
);
