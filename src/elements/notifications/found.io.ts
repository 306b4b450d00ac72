import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { type Destination, subscriptionOf } from "../../delivery/destination";
import { readDestination } from "../../delivery/destinations.store";
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
import { isKeptCopy, NOTIFICATIONS_SOURCE, publishedSeq, publishedView } from "./published";
import { isShown, publishedStream, viewsOf } from "./published.io";
import { notificationView } from "./view";

/** A notification and the stream that holds it: an instance's, or that of what clients published. */
export type Found = {
  instance: Instance | undefined;
  view: NotificationView;
  stub: DurableObjectStub<EventStream>;
};

/** A notification on its way to one subscription, which has a number. */
export type Delivery = Found & { subscriptionId: number };

/** The notification that the path names. */
export async function namedNotification(c: Context<AskerEnv>): Promise<Found> {
  const text = c.req.param("id") ?? "";
  const seq = publishedSeq(text);
  const found =
    seq === undefined
      ? await ofInstance(c, text)
      : await at(publishedStream(c), undefined, seq, isKeptCopy);
  if (found === undefined || !isShown(found.view)) throw notFound(`No notification '${text}'`);
  return found;
}

async function ofInstance(c: Context<AskerEnv>, text: string): Promise<Found | undefined> {
  const address = parseNotificationId(text);
  if (address?.kind !== "instance") return undefined;
  const instance = await ownInstance(c, address.instanceId);
  return at(streamOf(c, instance), instance, address.seq, () => true);
}

async function at(
  stub: Found["stub"],
  instance: Instance | undefined,
  seq: number,
  isMeant: (view: NotificationView) => boolean,
): Promise<Found | undefined> {
  const view = await stub.notification(seq);
  return view === null || !isMeant(view) ? undefined : { instance, view, stub };
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
  if (instance === undefined) return publishedView(view);
  const body = (await stub.notificationBody(view.notification.seq)) ?? "";
  return notificationView(instance, view, body);
}

/** What became of a notification at each of those who subscribed to its topic. */
export async function deliveriesOf(found: Found): Promise<Delivery[]> {
  const { instance, view, stub } = found;
  const [event] = view.events;
  const seqs = event?.notifications.filter((seq) => seq !== view.notification.seq) ?? [];
  const views = [view, ...(await viewsOf(stub, seqs)).filter((one) => !isStep(one))];
  return views.flatMap((one) => {
    const subscriptionId = subscriptionIdOf(one, instance);
    return subscriptionId === undefined ? [] : [{ instance, view: one, stub, subscriptionId }];
  });
}

/** The subscription that a notification is for; undefined for a copy that is only kept. */
const subscriptionIdOf = (
  { notification }: NotificationView,
  instance: Instance | undefined,
): number | undefined => subscriptionOf(notification.destinationId ?? "") ?? instance?.id;

const isStep = ({ notification }: NotificationView): boolean =>
  notification.envelope.format === "flow-step";

/** Deliveries of the organization's that wait to be released; with a URL, those to that. */
export async function queuedDeliveries(
  c: Context<AskerEnv>,
  url: string | undefined,
): Promise<(Delivery & { destination: Destination })[]> {
  const { db, ring } = doorsOf(c);
  const { organizationId } = c.var.asker;
  const rows = await listExceptions(
    db,
    organizationId,
    { statuses: ["held", "dead"] },
    { before: null, limit: 1_000 },
  );
  const instances = new Map<number, Instance | undefined>();
  const destinations = new Map<string, Destination | undefined>();
  const found: (Delivery & { destination: Destination })[] = [];
  for (const { id, stream, status, reason, destinationId } of rows) {
    const { source } = parseStreamName(stream);
    const instanceId = instanceOfSource(source);
    const seq = parseNotificationId(id)?.seq;
    const isOurs = instanceId !== undefined || source === NOTIFICATIONS_SOURCE;
    if (!isOurs || seq === undefined || (status === "dead" && reason !== "exhausted")) continue;
    if (instanceId !== undefined && !instances.has(instanceId))
      instances.set(instanceId, await readInstance(db, ring, instanceId));
    const instance = instanceId === undefined ? undefined : instances.get(instanceId);
    if (instanceId !== undefined && instance === undefined) continue;
    if (!destinations.has(destinationId))
      destinations.set(
        destinationId,
        await readDestination(db, ring, organizationId, destinationId),
      );
    const destination = destinations.get(destinationId);
    if (destination === undefined || (url !== undefined && destination.url !== url)) continue;
    const stub = instance === undefined ? publishedStream(c) : streamOf(c, instance);
    const view = await stub.notification(seq);
    const subscriptionId = view === null ? undefined : subscriptionIdOf(view, instance);
    if (view !== null && !isStep(view) && subscriptionId !== undefined)
      found.push({ instance, view, stub, subscriptionId, destination });
  }
  return found;
}
