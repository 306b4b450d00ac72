import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { listExceptions } from "../../delivery/exceptions.store";
import type { NotificationView } from "../../stream/history";
import type { EventStream } from "../../stream/stream.object";
import {
  instanceOfSource,
  instanceSource,
  parseNotificationId,
  parseStreamName,
  streamName,
} from "../../stream/stream-name";
import { notFound } from "../../http/refusal";
import type { Instance } from "../../instances/instance";
import { doorsOf, ownInstance } from "../../instances/lookup.io";
import { readInstance } from "../../instances/store";
import { notificationView } from "./view";

/** A notification, the instance whose stream holds it, and that stream. */
export type Found = {
  instance: Instance;
  view: NotificationView;
  stub: DurableObjectStub<EventStream>;
};

/** The notification that the path names. */
export async function namedNotification(c: Context<AskerEnv>): Promise<Found> {
  const text = c.req.param("id") ?? "";
  const address = parseNotificationId(text);
  if (address?.kind !== "instance") throw notFound(`No notification '${text}'`);
  const instance = await ownInstance(c, address.instanceId);
  const stub = streamOf(c, instance);
  const view = await stub.notification(address.seq);
  if (view === null) throw notFound(`No notification '${text}'`);
  return { instance, view, stub };
}

export function streamOf(
  c: Context<AskerEnv>,
  { id, organizationId }: Instance,
): DurableObjectStub<EventStream> {
  return c.env.EVENT_STREAMS.getByName(streamName({ organizationId, source: instanceSource(id) }));
}

/** A notification as the contract prints it, with the body that its callback has. */
export async function shownNotification({
  instance,
  view,
  stub,
}: Found): Promise<Record<string, unknown>> {
  const body = (await stub.notificationBody(view.notification.seq)) ?? "";
  return notificationView(instance, view, body);
}

/** Deliveries of the organization's instances that wait to be released; with a URL, those of that callback. */
export async function queuedDeliveries(
  c: Context<AskerEnv>,
  url: string | undefined,
): Promise<Found[]> {
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
