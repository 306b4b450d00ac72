import type { Cancellation } from "../cancellation.io";
import type { Millis } from "../../values/instant";
import type { Notification, StoredEvent } from "../event";
import type { EventLog } from "../log/store";
import type { Dispatcher } from "../outbox/dispatcher.io";
import type { OutboxStore } from "../outbox/store";
import type { SearchIndex } from "../search/search-index.io";
import { resetForResend } from "../settle";
import { type JobState, selects, selectsEvent } from "./job";

const PAGE_BUNDLES = 20;
const PAGE_EVENTS = 100;

/**
 * `withoutNotification`: events of a replay that the job must make a notification for; `freedKeys`: ordering keys whose
 * next notification may go.
 */
type Page = {
  state: JobState;
  withoutNotification: StoredEvent[];
  freedKeys: string[];
  done: boolean;
};

type Doors = {
  bundles: OutboxStore;
  log: EventLog;
  search: SearchIndex;
  dispatcher: Dispatcher;
  cancellation: Cancellation;
};

/**
 * Does one page of a job: first page by page through all bundles, making due, or cancelling, what the job selects; then, for a replay
 * to a destination, through the events that never had a notification. @returns the job's state after it.
 */
export function runPage(
  state: JobState,
  { bundles, log, search, dispatcher, cancellation }: Doors,
  now: Millis,
): Page {
  const page = bundles.from(state.bundle, PAGE_BUNDLES);
  const last = page.at(-1);
  if (last === undefined) return runEventPage(state, log);
  let { processed } = state;
  const { fallbackId } = state.job;
  const addressed: number[] = [];
  const freedKeys: string[] = [];
  for (const bundle of page) {
    const selected = bundle.notifications.filter((notification) =>
      selects(state.job, notification, (one) => eventsOf(one, log)),
    );
    processed += selected.length;
    if (selected.length === 0) continue;
    if (state.job.kind === "cancel") {
      freedKeys.push(...cancellation.end(bundle, selected, now));
      continue;
    }
    for (const notification of selected) {
      if (notification.destinationId === null) addressed.push(notification.seq);
      notification.destinationId ??= fallbackId;
      const mayBeUnderWay = dispatcher.mayBeUnderWay(bundle.id, notification, now);
      resetForResend(notification, now, { forced: false, mayBeUnderWay });
    }
    bundles.save(bundle);
  }
  if (fallbackId !== null) search.addressed(addressed, fallbackId);
  const after = { ...state, bundle: last.id + 1, processed };
  return { state: after, withoutNotification: [], freedKeys, done: false };
}

function runEventPage(state: JobState, log: EventLog): Page {
  const { job } = state;
  if (job.kind !== "replay" || job.destinationId === null)
    return { state, withoutNotification: [], freedKeys: [], done: true };
  const page = log.after(state.event, PAGE_EVENTS);
  const withoutNotification = page.events.filter(
    (event) => event.notifications.length === 0 && selectsEvent(job, event),
  );
  const event = page.events.at(-1)?.seq ?? state.event;
  const processed = state.processed + withoutNotification.length;
  const done = !page.more;
  return { state: { ...state, event, processed }, withoutNotification, freedKeys: [], done };
}

function eventsOf({ events: numbers }: Notification, log: EventLog): StoredEvent[] {
  const { events } = log.events(Math.min(...numbers), Math.max(...numbers));
  return events.filter(({ seq }) => numbers.includes(seq));
}
