import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { revive } from "../../operations/destinations/revive.io";
import { parse, readJson } from "../../http/body";
import { conflict, invalid, notFound } from "../../http/refusal";
import { destinationOf } from "../../instances/destination";
import type { Instance } from "../../instances/instance";
import { doorsOf, ownInstance } from "../../instances/lookup.io";
import { recentInstances } from "../../instances/list.store";
import { updateInstance } from "../../instances/store";
import { queuedUrl } from "./filter";
import { queuedDeliveries } from "./found.io";
import { instanceSubscription, shownDelivery, topicSubscription } from "./hydrated.io";
import { topicField } from "./published";
import { findSubscription, listSubscriptions, subscribe, unsubscribe } from "./subscribers.io";
import { instanceOfTopic } from "./view";
import { numericId } from "../../values/whole-number";

/** At most this many callbacks of instances are listed: those of the newest. */
const MOST_CALLBACKS = 100;
const MOST_TOPICS = 20;

const newSubscription = z.object({
  channel: z.string("Expected a channel"),
  topics: z
    .array(topicField)
    .min(1, "Expected a topic")
    .max(MOST_TOPICS, `Expected at most ${MOST_TOPICS} topics`)
    .transform((topics) => [...new Set(topics)]),
  config: z.object({ url: z.string("Expected a URL") }),
});

/**
 * `/notifications/subscriptions` (reference connector-events-api.md §8), channel `webhook`. An instance's callback URL is
 * a subscription to its topic, whose id is the instance's; whoever subscribes to anything else gets one of their own.
 */
export const subscriptionRoutes = new Hono<AskerEnv>()
  .use("/notifications/subscriptions", withSecrets)
  .use("/notifications/subscriptions/*", withSecrets)
  .get("/notifications/subscriptions", async (c) => {
    const { db, ring } = doorsOf(c);
    const all = await recentInstances(db, ring, c.var.asker.organizationId, MOST_CALLBACKS);
    const callbacks = all.filter(hasCallback).map((one) => instanceSubscription(c, one));
    const others = (await listSubscriptions(c)).map(topicSubscription);
    return c.json([...(await Promise.all(callbacks)), ...others]);
  })
  .post("/notifications/subscriptions", async (c) => {
    const { channel, topics, config } = parse(newSubscription, await readJson(c, 64 * 1024));
    if (channel !== "webhook")
      throw invalid(`channel: Expected webhook, got '${channel}'`, "channel");
    const instanceId = instanceOfTopic(topics[0] ?? "");
    if (topics.length === 1 && instanceId !== undefined) {
      const instance = await ownInstance(c, instanceId);
      if (!hasCallback(instance))
        return c.json(await instanceSubscription(c, await setCallback(c, instance, config.url)));
    }
    return c.json(topicSubscription(await subscribe(c, topics, config.url)));
  })
  .get("/notifications/subscriptions/deliveries", async (c) => {
    const found = await queuedDeliveries(c, queuedUrl(c.req.query("where")));
    const isWhole = c.req.query("hydrate") === "true";
    return c.json(await Promise.all(found.map((one) => shownDelivery(c, one, isWhole))));
  })
  .put("/notifications/subscriptions/deliveries", async (c) => {
    const found = await queuedDeliveries(c, queuedUrl(c.req.query("where")));
    const shown = await Promise.all(found.map((one) => shownDelivery(c, one, false)));
    const destinations = new Map(found.map(({ destination }) => [destination.id, destination]));
    for (const destination of destinations.values()) await revive(c, destination);
    return c.json(shown);
  })
  .get("/notifications/subscriptions/:id", async (c) => {
    const named = await namedSubscription(c);
    return c.json(
      "token" in named ? await instanceSubscription(c, named) : topicSubscription(named),
    );
  })
  .delete("/notifications/subscriptions/:id", async (c) => {
    const named = await namedSubscription(c);
    if ("token" in named) await setCallback(c, named, null);
    else await unsubscribe(c, named);
    return c.body(null, 200);
  });

/** Gives an instance a callback URL, or takes it away. */
async function setCallback(
  c: Context<AskerEnv>,
  instance: Instance,
  url: string | null,
): Promise<Instance> {
  const { db, ring, config } = doorsOf(c);
  const configuration = { ...instance.configuration, "event.notification.callback.url": url };
  const changed: Instance = { ...instance, configuration };
  const destination = destinationOf(changed, config.egress);
  if (!destination.ok) throw invalid(destination.message, destination.field);
  if (!(await updateInstance(db, ring, changed, destination.draft, Date.now())))
    throw conflict("The instance was changed by somebody else at the same time");
  return changed;
}

const hasCallback = ({ configuration }: Instance): boolean =>
  (configuration["event.notification.callback.url"] ?? null) !== null;

/** The subscription that the path names: an instance, for its callback, or one of its own. */
async function namedSubscription(
  c: Context<AskerEnv>,
): Promise<Instance | NonNullable<Awaited<ReturnType<typeof findSubscription>>>> {
  const text = c.req.param("id") ?? "";
  const id = numericId(text);
  if (id === undefined) throw notFound(`No subscription '${text}'`);
  const found = await findSubscription(c, id);
  if (found !== undefined) return found;
  const instance = await ownInstance(c, id);
  if (!hasCallback(instance)) throw notFound(`No subscription '${text}'`);
  return instance;
}
