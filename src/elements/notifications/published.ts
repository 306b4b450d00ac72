import * as z from "zod";
import type { NotificationView } from "../../stream/history";
import { isoSeconds, type Millis } from "../../values/instant";
import { storedJson } from "../../values/stored-json";

/**
 * Notifications that clients publish on topics of their own (reference connector-events-api.md §8). Each is one event of
 * the organization's stream of them, with a copy that stays there, which has its id, and one for each subscriber.
 */
export const NOTIFICATIONS_SOURCE = "notifications";
export const OBJECT_TYPE = "notification";

export const topicField = z
  .string("Expected a topic")
  .min(1, "Expected a topic")
  .max(256, "Expected at most 256 characters");
export const newNotification = z.object({
  topic: topicField,
  message: z.string("Expected a text"),
  severity: z
    .enum(["low", "medium", "high"], "Expected low, medium or high")
    .nullish()
    .transform((given) => given ?? "low"),
  from: z
    .string("Expected a text")
    .max(256, "Expected at most 256 characters")
    .nullish()
    .transform((given) => given ?? ""),
});
export type NewNotification = z.infer<typeof newNotification>;

/** What subscribers get, and what is stored. */
const published = storedJson(
  z.object({
    eventId: z.string(),
    topic: z.string(),
    severity: z.string(),
    createdDateTime: z.string(),
    from: z.string(),
    message: z.string(),
  }),
);

export const publishedText = (id: string, given: NewNotification, now: Millis): string =>
  published.write({
    eventId: id,
    topic: given.topic,
    severity: given.severity,
    createdDateTime: isoSeconds(now),
    from: given.from,
    message: given.message,
  });

/** Digits that no notification of an instance has: those end in the length of a number, which is never 00. */
const publishedId = (seq: number): number => Number(`${seq}00`);

/** The number of a published notification by its id; undefined for an id of another kind. */
export function publishedSeq(id: string): number | undefined {
  const [, seq] = /^([1-9]\d{0,12})00$/.exec(id) ?? [];
  return seq === undefined ? undefined : Number(seq);
}

/** A published notification as the contract prints it. */
export function publishedView({ notification, events }: NotificationView): Record<string, unknown> {
  const { from, topic, severity, message } = published.read(events[0]?.data ?? "{}");
  const acknowledged = notification.acknowledged === true;
  return {
    id: publishedId(notification.seq),
    from,
    topic,
    severity,
    message,
    createdDate: isoSeconds(notification.createdAt),
    active: !acknowledged,
    acknowledged,
  };
}

/** Whether a notification is the copy that stays, which is listed and has the id. */
export const isKeptCopy = ({ notification }: NotificationView): boolean =>
  notification.destinationId === null;
