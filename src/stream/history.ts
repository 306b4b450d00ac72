import type { Notification, StoredEvent } from "./event";

/** An event; without its data where that would be too much for an answer. */
export type ShownEvent = Omit<StoredEvent, "data"> & Partial<Pick<StoredEvent, "data">>;

/** One answer of an object holds 32 MB; so much of it may be data, in UTF-16 units. */
const MOST_DATA = 4_000_000;

/** The views with the data of their events, in order, as long as there is room. */
export function withinAnswer(views: readonly NotificationView[]): NotificationView[] {
  let room = MOST_DATA;
  const shown = ({ data, ...event }: ShownEvent): ShownEvent => {
    if (data === undefined) return event;
    room -= data.length;
    return room < 0 ? event : { ...event, data };
  };
  return views.map((view) => ({ ...view, events: view.events.map(shown) }));
}

/** A notification as operators and the history pages see it. */
export type NotificationView = {
  notification: Notification;
  id: string;
  events: ShownEvent[];
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
