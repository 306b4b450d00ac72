import * as z from "zod";
import { storedJson } from "../../values/stored-json";
import type { Notification, StoredEvent } from "../event";
import type { EventLog } from "../log/store";
import type { OutboxStore } from "../outbox/store";
import { release } from "../settle";
import type { Millis } from "../../values/instant";

/**
 * Paged work over a stream's notifications. `recover`: dead ones are tried again; `release`: held ones and
 * exhausted ones; `replay`: every one of a range, also those that never had a destination.
 */
const streamJob = z.object({
  id: z.string(),
  kind: z.enum(["recover", "release", "replay"]),
  from: z.number(),
  to: z.number(),
  destinationId: z.string().nullable(),
  objectType: z.string().nullable(),
  eventType: z.string().nullable(),
  /** Where what was kept without a destination goes now; null: it stays. */
  fallbackId: z.string().nullable(),
});
export type StreamJob = z.infer<typeof streamJob>;

/** A job and how far it is. */
export const storedJob = storedJson(
  z.object({ job: streamJob, bundle: z.number(), event: z.number(), processed: z.number() }),
);
export type JobState = ReturnType<typeof storedJob.read>;

const PAGE_BUNDLES = 20;
const PAGE_EVENTS = 100;

export const startOf = (job: StreamJob): JobState => ({ job, bundle: 0, event: 0, processed: 0 });

/**
 * One page: what matches is due now. @returns the state after it, events that need a notification of
 * their own, and whether the job is done.
 */
export function stepJob(
  state: JobState,
  { bundles: stored, log }: { bundles: OutboxStore; log: EventLog },
  now: Millis,
): { state: JobState; unheard: StoredEvent[]; done: boolean } {
  const bundles = stored.from(state.bundle, PAGE_BUNDLES);
  let processed = state.processed;
  for (const bundle of bundles) {
    const chosen = bundle.notifications.filter((notification) =>
      matches(state.job, notification, log),
    );
    for (const notification of chosen) {
      notification.destinationId ??= state.job.fallbackId;
      release(notification, now);
    }
    if (chosen.length > 0) stored.save(bundle);
    processed += chosen.length;
  }
  const last = bundles.at(-1);
  if (last !== undefined)
    return { state: { ...state, bundle: last.id + 1, processed }, unheard: [], done: false };
  if (state.job.kind !== "replay" || state.job.destinationId === null)
    return { state: { ...state, processed }, unheard: [], done: true };
  const events = log.after(state.event, PAGE_EVENTS);
  const unheard = events.filter(
    (event) => event.notifications.length === 0 && inRange(state.job, event),
  );
  return {
    state: {
      ...state,
      event: events.at(-1)?.seq ?? state.event,
      processed: processed + unheard.length,
    },
    unheard,
    done: events.length < PAGE_EVENTS,
  };
}

function matches(job: StreamJob, notification: Notification, log: EventLog): boolean {
  const { state, destinationId, createdAt } = notification;
  if (job.destinationId !== null && destinationId !== null && destinationId !== job.destinationId)
    return false;
  if (createdAt < job.from || createdAt > job.to) return false;
  switch (job.kind) {
    case "recover":
      return state.kind === "dead" && destinationId !== null;
    case "release":
      return state.kind === "held" || (state.kind === "dead" && state.reason === "exhausted");
    case "replay": {
      if (destinationId === null && job.fallbackId === null) return false;
      if (job.objectType === null && job.eventType === null) return true;
      const { events } = log.events(
        Math.min(...notification.events),
        Math.max(...notification.events),
      );
      return events.some((event) => notification.events.includes(event.seq) && inRange(job, event));
    }
  }
}

function inRange(job: StreamJob, event: StoredEvent): boolean {
  return (
    event.receivedAt >= job.from &&
    event.receivedAt <= job.to &&
    (job.objectType === null || event.objectType === job.objectType) &&
    (job.eventType === null || event.eventType === job.eventType)
  );
}
