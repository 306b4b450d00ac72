import type { Millis } from "../../values/instant";
import type { Notification, StoredEvent } from "../event";
import type { EventLog } from "../log/store";
import type { OutboxStore } from "../outbox/store";
import type { SearchIndex } from "../search/search-index.io";
import { resetForResend } from "../settle";
import { type JobState, selects, selectsEvent } from "./job";

const PAGE_BUNDLES = 20;
const PAGE_EVENTS = 100;

/** `withoutNotification`: events of a replay that the job must make a notification for. */
type Page = { state: JobState; withoutNotification: StoredEvent[]; done: boolean };

/**
 * Does one page of a job: first page by page through all bundles, making due what the job selects; then, for a replay
 * to a destination, through the events that never had a notification. @returns the job's state after it.
 */
export function runPage(
  state: JobState,
  { bundles, log, search }: { bundles: OutboxStore; log: EventLog; search: SearchIndex },
  now: Millis,
): Page {
  const page = bundles.from(state.bundle, PAGE_BUNDLES);
  const last = page.at(-1);
  if (last === undefined) return runEventPage(state, log);
  let { processed } = state;
  const { fallbackId } = state.job;
  const addressed: number[] = [];
  for (const bundle of page) {
    const selected = bundle.notifications.filter((notification) =>
      selects(state.job, notification, (one) => eventsOf(one, log)),
    );
    for (const notification of selected) {
      if (notification.destinationId === null) addressed.push(notification.seq);
      notification.destinationId ??= fallbackId;
      resetForResend(notification, now);
    }
    if (selected.length > 0) bundles.save(bundle);
    processed += selected.length;
  }
  if (fallbackId !== null) search.addressed(addressed, fallbackId);
  const after = { ...state, bundle: last.id + 1, processed };
  return { state: after, withoutNotification: [], done: false };
}

function runEventPage(state: JobState, log: EventLog): Page {
  const { job } = state;
  if (job.kind !== "replay" || job.destinationId === null)
    return { state, withoutNotification: [], done: true };
  const page = log.after(state.event, PAGE_EVENTS);
  const withoutNotification = page.events.filter(
    (event) => event.notifications.length === 0 && selectsEvent(job, event),
  );
  const event = page.events.at(-1)?.seq ?? state.event;
  const processed = state.processed + withoutNotification.length;
  const done = !page.more;
  return { state: { ...state, event, processed }, withoutNotification, done };
}

function eventsOf({ events: numbers }: Notification, log: EventLog): StoredEvent[] {
  const { events } = log.events(Math.min(...numbers), Math.max(...numbers));
  return events.filter(({ seq }) => numbers.includes(seq));
}
