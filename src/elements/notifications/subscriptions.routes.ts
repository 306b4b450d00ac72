import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { instanceDestinationId } from "../../delivery/destination";
import { readDestination } from "../../delivery/destinations.store";
import { revive } from "../../operations/destinations/revive.io";
import { parse, readJson } from "../../http/body";
import { conflict, invalid, notFound } from "../../http/refusal";
import { destinationOf } from "../../instances/destination";
import type { Instance } from "../../instances/instance";
import { doorsOf, ownInstance } from "../../instances/lookup.io";
import { recentInstances } from "../../instances/list.store";
import { updateInstance } from "../../instances/store";
import { queuedUrl } from "./filter";
import { queuedDeliveries, shownNotification } from "./found.io";
import { deliveryView, instanceOfTopic, subscriptionView } from "./view";
import { numericId } from "../../values/whole-number";

/** At most this many subscriptions are listed: those of the newest instances. */
const MOST_SUBSCRIPTIONS = 100;

const newSubscription = z.object({
  channel: z.string("Expected a channel"),
  topics: z.array(z.string()).min(1, "Expected a topic"),
  config: z.object({ url: z.string("Expected a URL") }),
});

/**
 * `/notifications/subscriptions` (reference connector-events-api.md §8), channel `webhook`: an instance's
 * callback URL is its one subscription, and the subscription's id is the instance's.
 */
export const subscriptionRoutes = new Hono<AskerEnv>()
  .use("/notifications/subscriptions", withSecrets)
  .use("/notifications/subscriptions/*", withSecrets)
  .get("/notifications/subscriptions", async (c) => {
    const { db, ring } = doorsOf(c);
    const all = await recentInstances(db, ring, c.var.asker.organizationId, MOST_SUBSCRIPTIONS);
    return c.json(
      await Promise.all(all.filter(hasCallback).map((instance) => subscription(c, instance))),
    );
  })
  .post("/notifications/subscriptions", async (c) => {
    const { channel, topics, config } = parse(newSubscription, await readJson(c, 64 * 1024));
    if (channel !== "webhook")
      throw invalid(`channel: Expected webhook, got '${channel}'`, "channel");
    const [topic = ""] = topics;
    const instanceId = instanceOfTopic(topic);
    if (topics.length > 1 || instanceId === undefined)
      throw invalid(
        `topics: Expected one topic of the form instance-<id>-<element>-events, got '${topics.join()}'`,
        "topics",
      );
    const instance = await ownInstance(c, instanceId);
    if (hasCallback(instance)) throw conflict(`Instance ${instanceId} has a subscription already`);
    return c.json(await subscription(c, await setCallback(c, instance, config.url)));
  })
  .get("/notifications/subscriptions/deliveries", async (c) => {
    const found = await queuedDeliveries(c, queuedUrl(c.req.query("where")));
    const isWhole = c.req.query("hydrate") === "true";
    const views = found.map(async (one) => ({
      ...deliveryView(one.instance, one.view),
      ...(isWhole
        ? {
            notification: await shownNotification(one),
            subscription: await subscription(c, one.instance),
          }
        : {}),
    }));
    return c.json(await Promise.all(views));
  })
  .put("/notifications/subscriptions/deliveries", async (c) => {
    const found = await queuedDeliveries(c, queuedUrl(c.req.query("where")));
    const { db, ring } = doorsOf(c);
    for (const instance of new Set(found.map((one) => one.instance))) {
      const destination = await readDestination(
        db,
        ring,
        instance.organizationId,
        instanceDestinationId(instance.id),
      );
      if (destination === undefined) continue;
      await revive(c, destination);
    }
    return c.json(found.map(({ instance, view }) => deliveryView(instance, view)));
  })
  .get("/notifications/subscriptions/:id", async (c) =>
    c.json(await subscription(c, await withCallback(c))),
  )
  .delete("/notifications/subscriptions/:id", async (c) => {
    await setCallback(c, await withCallback(c), null);
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

/** The instance of the subscription that the path names. */
async function withCallback(c: Context<AskerEnv>): Promise<Instance> {
  const text = c.req.param("id") ?? "";
  const id = numericId(text);
  if (id === undefined) throw notFound(`No subscription '${text}'`);
  const instance = await ownInstance(c, id);
  if (!hasCallback(instance)) throw notFound(`No subscription '${text}'`);
  return instance;
}

async function subscription(
  c: Context<AskerEnv>,
  instance: Instance,
): Promise<Record<string, unknown>> {
  const { db, ring } = doorsOf(c);
  const destination = await readDestination(
    db,
    ring,
    instance.organizationId,
    instanceDestinationId(instance.id),
  );
  return subscriptionView(
    instance,
    destination !== undefined && destination.enabled && destination.active,
  );
}
