import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { subscriptionDestinationId } from "../../delivery/destination";
import { Refusal } from "../../http/refusal";
import type { Target } from "../../stream/event";
import { onceId } from "../../stream/event-id";
import type { NotificationView } from "../../stream/history";
import type { EventStream } from "../../stream/stream.object";
import { streamName } from "../../stream/stream-name";
import { ingest } from "../../subscriptions/ingest.io";
import type { Subscription } from "../../subscriptions/subscription";
import {
  isKeptCopy,
  type NewNotification,
  NOTIFICATIONS_SOURCE,
  OBJECT_TYPE,
  publishedText,
} from "./published";
import { subscribersOf } from "./subscribers.io";

const PAGE = 200;
/** A list looks through so many of a topic at most. */
const MOST_LISTED = 1_000;

export function publishedStream({
  env,
  var: { asker },
}: Context<AskerEnv>): DurableObjectStub<EventStream> {
  const { organizationId } = asker;
  return env.EVENT_STREAMS.getByName(streamName({ organizationId, source: NOTIFICATIONS_SOURCE }));
}

/** Publishes a notification to those who subscribed to its topic. @returns the copy that stays. */
export async function publish(
  c: Context<AskerEnv>,
  given: NewNotification,
): Promise<NotificationView> {
  const { organizationId } = c.var.asker;
  const now = Date.now();
  const id = onceId(now, crypto.randomUUID().replaceAll("-", ""));
  const numbers = await subscribersOf(c, given.topic);
  const ids = [null, ...numbers.map((one) => subscriptionDestinationId(organizationId, one))];
  const own = ids.map((destinationId): Subscription => {
    const envelope = { format: "verbatim" } as const;
    const target: Target = { destinationId, envelope, most: 1, ordering: "none" };
    return { kind: "callback", hears: () => "yes", targets: () => [target] };
  });
  const about = { objectType: OBJECT_TYPE, objectId: given.topic, eventType: given.severity };
  const event = { id, ...about, date: now, data: publishedText(id, given, now) };
  await ingest(
    { db: c.env.DB, streams: c.env.EVENT_STREAMS },
    {
      organizationId,
      source: NOTIFICATIONS_SOURCE,
      commit: { events: [event] },
      keptFor: "organization",
      origin: { tenant: null },
      own: () => own,
    },
  );
  const stream = publishedStream(c);
  const stored = await stream.event(id);
  const views = await viewsOf(stream, stored?.notifications ?? []);
  const kept = views.find(isKeptCopy);
  if (kept === undefined)
    throw new Refusal({ kind: "unavailable", message: "The notification could not be stored" });
  return kept;
}

/** Notifications of a stream by their numbers; those that are gone are absent. */
export async function viewsOf(
  stream: DurableObjectStub<EventStream>,
  seqs: readonly number[],
): Promise<NotificationView[]> {
  const views = await Promise.all(seqs.map((seq) => stream.notification(seq)));
  return views.flatMap((view) => view ?? []);
}

/** The notifications that were published on a topic, newest first. */
export async function publishedOn(
  c: Context<AskerEnv>,
  topic: string,
): Promise<NotificationView[]> {
  const stream = publishedStream(c);
  const filter = { objectType: OBJECT_TYPE, objectId: topic };
  const found: NotificationView[] = [];
  let before: number | null = null;
  do {
    const page: { views: NotificationView[]; next: number | null } = await stream.deliveries({
      before,
      limit: PAGE,
      filter,
      withEvents: true,
    });
    found.push(...page.views.filter((view) => isKeptCopy(view) && isShown(view)));
    before = page.next;
  } while (before !== null && found.length < MOST_LISTED);
  return found;
}

/** Whether nobody took a notification out of the lists. */
export const isShown = ({ notification }: NotificationView): boolean =>
  notification.hidden !== true;
