import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withSecrets } from "../../accounts/routes";
import { instanceDestinationId } from "../../delivery/destination";
import { listExceptions } from "../../delivery/exceptions.store";
import { changePolicy } from "../../delivery/policy.store";
import { readDestination } from "../../delivery/destinations.store";
import { overTroubledStreams } from "../../operations/destinations/recovery.routes";
import type { NotificationView } from "../../stream/history";
import type { EventStream } from "../../stream/stream.object";
import {
  instanceOfSource,
  instanceSource,
  parseNotificationId,
  parseStreamName,
  streamName,
} from "../../stream/stream-name";
import { parse, readJson } from "../../http/body";
import { pageOf } from "../../http/paging";
import { conflict, forbidden, invalid, notFound } from "../../http/refusal";
import { destinationOf } from "../../instances/destination";
import { type Expression, parseWhere } from "../../hub/where";
import type { Instance } from "../../instances/instance";
import { doorsOf } from "../../instances/lookup.io";
import { readInstance, recentInstances, updateInstance } from "../../instances/store";
import { deliveryView, instanceOfTopic, notificationView, subscriptionView } from "./view";

const SUBSCRIPTIONS = 100;

const newSubscription = z.object({
  channel: z.string("Expected a channel"),
  topics: z.array(z.string()).min(1, "Expected a topic"),
  config: z.object({ url: z.string("Expected a URL") }),
});

/**
 * `/notifications` (reference connector-events-api.md §8), channel `webhook`: an instance's callback is its
 * one subscription, and
 * its notifications are those of its stream.
 */
export const notificationRoutes = new Hono<AskerEnv>()
  .use("/notifications", withSecrets)
  .use("/notifications/*", withSecrets)
  .get("/notifications/subscriptions", async (c) => {
    const { db, ring } = doorsOf(c);
    const all = await recentInstances(db, ring, c.var.asker.organizationId, SUBSCRIPTIONS);
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
    const instance = await own(c, instanceId);
    if (hasCallback(instance)) throw conflict(`Instance ${instanceId} has a subscription already`);
    return c.json(await subscription(c, await setCallback(c, instance, config.url)));
  })
  .get("/notifications/subscriptions/deliveries", async (c) => {
    const found = await queued(c, filterOf(c.req.query("where")));
    const hydrate = c.req.query("hydrate") === "true";
    const views = found.map(async ({ instance, view, stub }) => ({
      ...deliveryView(instance, view),
      ...(hydrate
        ? {
            notification: notificationView(
              instance,
              view,
              (await stub.notificationBody(view.notification.seq)) ?? "",
            ),
            subscription: await subscription(c, instance),
          }
        : {}),
    }));
    return c.json(await Promise.all(views));
  })
  .put("/notifications/subscriptions/deliveries", async (c) => {
    const found = await queued(c, filterOf(c.req.query("where")));
    const { db, ring } = doorsOf(c);
    for (const instance of new Set(found.map((one) => one.instance))) {
      const destination = await readDestination(
        db,
        ring,
        instance.organizationId,
        instanceDestinationId(instance.id),
      );
      if (destination === undefined) continue;
      await changePolicy(db, ring, destination, { enabled: true }, Date.now());
      await overTroubledStreams(c, destination.id, { kind: "release", from: 0 });
    }
    return c.json(found.map(({ instance, view }) => deliveryView(instance, view)));
  })
  .get("/notifications/subscriptions/:id", async (c) =>
    c.json(await subscription(c, await withCallback(c))),
  )
  .delete("/notifications/subscriptions/:id", async (c) => {
    await setCallback(c, await withCallback(c), null);
    return c.body(null, 200);
  })
  .get("/notifications", async (c) => {
    const topics = c.req.queries("topics[]") ?? [];
    if (topics.length === 0) throw invalid("topics[]: Expected at least one topic", "topics[]");
    const page = pageOf(c.req.query());
    const lists = await Promise.all(
      topics.map(async (topic) => {
        const id = instanceOfTopic(topic);
        if (id === undefined) return [];
        const instance = await own(c, id);
        const stub = streamOf(c, instance);
        const views = await stub.notifications({
          before: null,
          limit: page.offset + page.limit,
          withEvents: false,
        });
        return Promise.all(
          views.map(async (view) =>
            notificationView(
              instance,
              view,
              (await stub.notificationBody(view.notification.seq)) ?? "",
            ),
          ),
        );
      }),
    );
    return c.json(lists.flat().slice(page.offset, page.offset + page.limit));
  })
  .get("/notifications/:id", async (c) => {
    const { instance, view, stub } = await named(c);
    return c.json(
      notificationView(instance, view, (await stub.notificationBody(view.notification.seq)) ?? ""),
    );
  })
  .put("/notifications/:id/acknowledge", async (c) => {
    const { instance, view, stub } = await named(c);
    await stub.acknowledge(view.notification.seq);
    const body = (await stub.notificationBody(view.notification.seq)) ?? "";
    return c.json({ ...notificationView(instance, view, body), acknowledged: true });
  })
  .get("/notifications/:id/subscriptions/deliveries", async (c) => {
    const { instance, view } = await named(c);
    return c.json([deliveryView(instance, view)]);
  })
  .get("/notifications/:id/subscriptions/:sid/deliveries", async (c) => {
    const { instance, view } = await named(c);
    if (c.req.param("sid") !== String(instance.id))
      throw notFound(`No subscription '${c.req.param("sid")}'`);
    return c.json([deliveryView(instance, view)]);
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

function streamOf(
  c: Context<AskerEnv>,
  { id, organizationId }: Instance,
): DurableObjectStub<EventStream> {
  return c.env.EVENT_STREAMS.getByName(streamName({ organizationId, source: instanceSource(id) }));
}

async function own(c: Context<AskerEnv>, id: number): Promise<Instance> {
  const { db, ring } = doorsOf(c);
  const instance = await readInstance(db, ring, id);
  if (instance === undefined) throw notFound(`No instance with id '${id}'`);
  if (instance.organizationId !== c.var.asker.organizationId) throw forbidden();
  return instance;
}

async function withCallback(c: Context<AskerEnv>): Promise<Instance> {
  const text = c.req.param("id") ?? "";
  if (!/^[1-9]\d{0,15}$/.test(text)) throw notFound(`No subscription '${text}'`);
  const instance = await own(c, Number(text));
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

type Found = { instance: Instance; view: NotificationView; stub: DurableObjectStub<EventStream> };

async function named(c: Context<AskerEnv>): Promise<Found> {
  const text = c.req.param("id") ?? "";
  const address = parseNotificationId(text);
  if (address?.kind !== "instance") throw notFound(`No notification '${text.slice(0, 100)}'`);
  const instance = await own(c, address.instanceId);
  const stub = streamOf(c, instance);
  const view = await stub.notification(address.seq);
  if (view === null) throw notFound(`No notification '${text}'`);
  return { instance, view, stub };
}

type Filter = { url: string | undefined };

/** `channel='webhook' and status='queued' and config.url='…'`: what can be released. */
function filterOf(where: string | undefined): Filter {
  const parsed = parseWhere(where ?? "");
  if (!parsed.ok) throw invalid(`where: ${parsed.message}`, "where");
  const values = new Map(equalities(parsed.expression));
  for (const [field, expected] of [
    ["channel", "webhook"],
    ["status", "queued"],
  ] as const) {
    const value = values.get(field);
    if (value !== undefined && value !== expected)
      throw invalid(`where: Expected ${field}='${expected}', got '${value}'`, "where");
  }
  return { url: values.get("config.url") };
}

function equalities(expression: Expression): [string, string][] {
  if (expression.kind === "and") return expression.parts.flatMap(equalities);
  if (
    expression.kind === "compare" &&
    expression.operator === "=" &&
    ["channel", "status", "config.url"].includes(expression.field)
  )
    return [[expression.field, expression.value.text]];
  throw invalid(
    "where: Expected channel, status and config.url, each with =, joined by AND",
    "where",
  );
}

/** Deliveries that wait to be released, of the organization's instances. */
async function queued(c: Context<AskerEnv>, { url }: Filter): Promise<Found[]> {
  const { db, ring } = doorsOf(c);
  const rows = await listExceptions(
    db,
    c.var.asker.organizationId,
    { statuses: ["held", "dead"] },
    { before: null, limit: 1_000 },
  );
  const instances = new Map<number, Instance | undefined>();
  const found: Found[] = [];
  for (const { id, stream, status, reason } of rows) {
    const instanceId = instanceOfSource(parseStreamName(stream).source);
    const address = parseNotificationId(id);
    if (
      instanceId === undefined ||
      address === undefined ||
      (status === "dead" && reason !== "exhausted")
    )
      continue;
    if (!instances.has(instanceId))
      instances.set(instanceId, await readInstance(db, ring, instanceId));
    const instance = instances.get(instanceId);
    if (
      instance === undefined ||
      (url !== undefined && instance.configuration["event.notification.callback.url"] !== url)
    )
      continue;
    const stub = streamOf(c, instance);
    const view = await stub.notification(address.seq);
    if (view !== null) found.push({ instance, view, stub });
  }
  return found;
}
