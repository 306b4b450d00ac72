import type { Attempt } from "../delivery/attempt";
import { bare } from "../delivery/record";
import type { Notification, StoredEvent } from "./event";

/** An event; without its data where that would be too much for an answer. */
export type ShownEvent = Omit<StoredEvent, "data"> & Partial<Pick<StoredEvent, "data">>;

/** One answer of an object holds 32 MB; so much of it may be data, in UTF-16 units. */
const MOST_DATA = 4_000_000;

/** The views with the data of their events, and with what was answered, in order, as long as there is room for either. */
export function withinAnswer(views: readonly NotificationView[]): NotificationView[] {
  let room = MOST_DATA;
  const shown = ({ data, ...event }: ShownEvent): ShownEvent => {
    if (data === undefined) return event;
    room -= data.length;
    return room < 0 ? event : { ...event, data };
  };
  let answers = MOST_DATA;
  const tried = (attempt: Attempt): Attempt => {
    answers -= unitsOf(attempt);
    return answers < 0 ? bare(attempt) : attempt;
  };
  return views.map(({ notification, events, ...view }) => ({
    ...view,
    notification: { ...notification, attempts: notification.attempts.map(tried) },
    events: events.map(shown),
  }));
}

const unitsOf = ({ responseBody, responseHeaders, request }: Attempt): number =>
  responseBody.length +
  Object.values(responseHeaders).reduce((sum, value) => sum + value.length, 0) +
  (request === undefined ? 0 : JSON.stringify(request).length);

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
