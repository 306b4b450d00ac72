import { type Context, Hono } from "hono";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { instanceDestinationId } from "../../delivery/destination";
import { activeSources } from "../../metering/store";
import type { NotificationView } from "../../stream/history";
import type { EventStream } from "../../stream/stream.object";
import {
  instanceOfSource,
  instanceSource,
  parseNotificationId,
  streamName,
} from "../../stream/stream-name";
import { bucketsOf, intervalMs, type Tally } from "../../stream/analytics";
import { pageOf } from "../../http/numbered-page";
import { forbidden, invalid, notFound } from "../../http/refusal";
import type { Instance } from "../../instances/instance";
import { doorsOf, ofId, ofToken } from "../../instances/lookup.io";
import { recentInstances } from "../../instances/list.store";
import { listedPage } from "./list.io";
import { dispositionView, historyView } from "./view";
import { isoSeconds } from "../../values/instant";

/** Org-wide lists merge at most this many streams (reference connector-events-api.md §9). */
const STREAMS = 100;
/** Instances that had events within this time are listed before the newest ones. */
const ACTIVE_MS = 7 * 86_400_000;
const MOST_BUCKETS = 10_000;

/**
 * `…/events` of the connector surface: what was received and what became of it
 * (reference connector-events-api.md §9).
 */
export const historyRoutes = new Hono<AskerEnv>()
  .use("/instances/events", withSecrets)
  .use("/instances/events/*", withSecrets)
  .use("/instances/:id/events", withSecrets)
  .use("/instances/:id/events/*", withSecrets)
  .get("/instances/events", async (c) => c.json(await listed(c, await named(c))))
  .get("/instances/events/analytics", async (c) => {
    const window = windowOf(c);
    const totals = await talliesOf(c, window);
    return c.json(
      window.buckets.map((at) => ({
        count: sum(totals, at, "events"),
        timestamp: isoSeconds(at),
      })),
    );
  })
  .get("/instances/events/analytics/instances", async (c) =>
    c.json(await analytics(c, "instanceId")),
  )
  .get("/instances/events/analytics/accounts", async (c) => c.json(await analytics(c, "accountId")))
  .get("/instances/events/dispositions", async (c) => {
    const instances = await named(c);
    const views = await Promise.all(
      instances.map(async (instance) =>
        (
          await streamOf(c, instance).notifications({ before: null, limit: 50, withEvents: false })
        ).map((view) => dispositionView(view, instance.id)),
      ),
    );
    return c.json(views.flat());
  })
  .get("/instances/events/:eventId", async (c) => c.json(await one(c, undefined)))
  .put("/instances/events/:eventId/replay", async (c) => c.json(await replayed(c, undefined)))
  .get("/instances/:id/events", async (c) => c.json(await listed(c, [await ofId(c)])))
  .get("/instances/:id/events/:eventId", async (c) => c.json(await one(c, await ofId(c))))
  .put("/instances/:id/events/:eventId/replay", async (c) =>
    c.json(await replayed(c, await ofId(c))),
  );

function streamOf(
  c: Context<AskerEnv>,
  { id, organizationId }: Instance,
): DurableObjectStub<EventStream> {
  return c.env.EVENT_STREAMS.getByName(streamName({ organizationId, source: instanceSource(id) }));
}

/** The instance of the Element token, or the organization's most recently active ones. */
async function named(c: Context<AskerEnv>): Promise<Instance[]> {
  if (c.var.elementToken !== undefined) return [await ofToken(c)];
  const { db, ring } = doorsOf(c);
  const { organizationId } = c.var.asker;
  const sources = await activeSources(db, organizationId, Date.now() - ACTIVE_MS, STREAMS);
  const active = sources.flatMap((source) => instanceOfSource(source) ?? []);
  return recentInstances(db, ring, organizationId, STREAMS, active);
}

async function listed(
  c: Context<AskerEnv>,
  instances: Instance[],
): Promise<Record<string, unknown>[]> {
  const page = pageOf(c.req.query());
  const streams = instances.map((instance) => streamOf(c, instance));
  const { items, total } = await listedPage(streams, page);
  page.answer(c, items.length, total);
  return items;
}

async function one(
  c: Context<AskerEnv>,
  instance: Instance | undefined,
): Promise<Record<string, unknown>> {
  const { seq, stream } = await addressed(c, instance);
  const view = await stream.notification(seq);
  if (view === null) throw notFound(`No event '${c.req.param("eventId")}'`);
  return withBody(view, stream);
}

/** Sends an event again under the same ids; 400 without a callback (reference connector-events-api.md §9). */
async function replayed(
  c: Context<AskerEnv>,
  instance: Instance | undefined,
): Promise<Record<string, unknown>> {
  const { seq, stream, owner } = await addressed(c, instance);
  const found = await stream.notification(seq);
  if (found === null) throw notFound(`No event '${c.req.param("eventId")}'`);
  const { destinationId } = found.notification;
  const hasCallback = (owner.configuration["event.notification.callback.url"] ?? null) !== null;
  const isCallback = destinationId === instanceDestinationId(owner.id);
  if (!hasCallback && (destinationId === null || isCallback))
    throw invalid("The event has no callback URL to be sent to");
  const fallbackId = hasCallback ? instanceDestinationId(owner.id) : null;
  const view = await stream.replay(seq, { fallbackId });
  return withBody(view ?? found, stream);
}

async function addressed(
  c: Context<AskerEnv>,
  instance: Instance | undefined,
): Promise<{ seq: number; stream: DurableObjectStub<EventStream>; owner: Instance }> {
  const text = c.req.param("eventId") ?? "";
  const address = parseNotificationId(text);
  const candidates = instance === undefined ? await named(c) : [instance];
  const owner = candidates.find(
    ({ id }) => address?.kind === "instance" && address.instanceId === id,
  );
  if (address === undefined || owner === undefined) throw notFound(`No event '${text}'`);
  return { seq: address.seq, stream: streamOf(c, owner), owner };
}

async function withBody(
  view: NotificationView,
  stream: DurableObjectStub<EventStream>,
): Promise<Record<string, unknown>> {
  return historyView(view, (await stream.notificationBody(view.notification.seq)) ?? "null");
}

type Window = { from: number; to: number; intervalMs: number; buckets: number[] };

function windowOf(c: Context<AskerEnv>): Window {
  const query = c.req.query();
  const name = query["interval"] ?? "hour";
  const length = intervalMs(name);
  if (length === undefined)
    throw invalid(`interval: Expected minute, hour or day, got '${name}'`, "interval");
  const to = instant(query["to"], "to") ?? Date.now();
  const from = instant(query["from"], "from") ?? to - 3_600_000;
  if (to < from) throw invalid("to: Expected an instant after from", "to");
  if ((to - from) / length > MOST_BUCKETS)
    throw invalid(`interval: More than ${MOST_BUCKETS} buckets of a ${name}`, "interval");
  const foreign = (c.req.queries("accountIds[]") ?? []).some(
    (id) => id !== String(c.var.asker.organizationId),
  );
  if (foreign) throw forbidden();
  return { from, to, intervalMs: length, buckets: bucketsOf(from, to, length) };
}

function instant(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === "") return undefined;
  const at = /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(at)) throw invalid(`${name}: Expected an ISO 8601 instant, got '${text}'`, name);
  return at;
}

type InstanceTally = { instanceId: number; tallies: Tally[] };

async function talliesOf(
  c: Context<AskerEnv>,
  { from, to, intervalMs: length }: Window,
): Promise<InstanceTally[]> {
  return Promise.all(
    (await named(c)).map(async (instance) => ({
      instanceId: instance.id,
      tallies: await streamOf(c, instance).tally({ from, to, intervalMs: length }),
    })),
  );
}

async function analytics(
  c: Context<AskerEnv>,
  by: "instanceId" | "accountId",
): Promise<Record<string, unknown>[]> {
  const window = windowOf(c);
  const all = await talliesOf(c, window);
  return window.buckets.map((at) => {
    const groups =
      by === "accountId"
        ? [{ key: { accountId: c.var.asker.organizationId }, group: all }]
        : all.map((tally) => ({ key: { instanceId: tally.instanceId }, group: [tally] }));
    const records = groups
      .map(({ key, group }) => ({
        count: sum(group, at, "events"),
        success: sum(group, at, "delivered"),
        failed: sum(group, at, "failed"),
        ...key,
      }))
      .filter(({ count, success, failed }) => count + success + failed > 0);
    return { total: sum(all, at, "events"), timestamp: isoSeconds(at), records };
  });
}

function sum(
  all: readonly InstanceTally[],
  at: number,
  field: "events" | "delivered" | "failed",
): number {
  return all.reduce(
    (total, { tallies }) => total + (tallies.find((tally) => tally.at === at)?.[field] ?? 0),
    0,
  );
}
