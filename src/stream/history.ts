import type { Notification, StoredEvent } from "./event";

/** A notification as operators and the history pages see it. */
export type NotificationView = {
  notification: Notification;
  id: string;
  events: StoredEvent[];
  /** It is on a queue, and the consumer did not settle it yet. */
  isSent: boolean;
};

/** The body of a notification, or why none can be composed of what is stored. */
export type Composed = { ok: true; body: string } | { ok: false; fault: string };

/** Events and vendors' bodies that are in memory anyway, by event number: they need not be read from the tables. */
export type Preloaded = {
  events: ReadonlyMap<number, StoredEvent>;
  raws: ReadonlyMap<number, string>;
};

/** The content of segments that were just written or read. */
export function preloadedFrom(
  segments: readonly { events: StoredEvent[]; raw?: string | undefined }[],
): Preloaded {
  const events = segments.flatMap((segment) => segment.events);
  return {
    events: new Map(events.map((event) => [event.seq, event])),
    raws: new Map(
      segments.flatMap(({ events: [first], raw }) =>
        first === undefined || raw === undefined ? [] : [[first.seq, raw]],
      ),
    ),
  };
}
