import * as z from "zod";
import { storedJson } from "../../values/stored-json";
import { type DeadReason, RELEASED } from "../../delivery/attempt";
import type { Notification, StoredEvent } from "../event";
import { isOpen } from "../settle";

/**
 * Work over many notifications of a stream, done page by page: each that matches is made due again. `recover` takes
 * dead ones, but for those that somebody cancelled; `release` held ones, and those that died of what switched their
 * destination off; `end` those that wait for a destination that is no more, which they die of at their next turn; `replay`
 * every one, also those that were kept without a destination, and makes notifications for events that never had one.
 * `cancel` ends those that wait. `from` and `to`: when they were created.
 */
const streamJob = z.object({
  id: z.string(),
  kind: z.enum(["recover", "release", "end", "replay", "cancel"]),
  from: z.number(),
  to: z.number(),
  destinationId: z.string().nullable(),
  objectType: z.string().nullable(),
  eventType: z.string().nullable(),
  /** Where what was kept without a destination goes now; null: it stays. */
  fallbackId: z.string().nullable(),
});
export type StreamJob = z.infer<typeof streamJob>;

/** A job and its progress: the bundle and the event to go on from, and how many notifications were made due. */
export const storedJob = storedJson(
  z.object({ job: streamJob, bundle: z.number(), event: z.number(), processed: z.number() }),
);
export type JobState = ReturnType<typeof storedJob.read>;

export const newJobState = (job: StreamJob): JobState => ({
  job,
  bundle: 0,
  event: 0,
  processed: 0,
});

/** Whether a job makes this notification due, or cancels it. `eventsOf` reads its events, only if the job asks for a type. */
export function selects(
  job: StreamJob,
  notification: Notification,
  eventsOf: (notification: Notification) => readonly StoredEvent[],
): boolean {
  const { state, destinationId, createdAt, envelope } = notification;
  if (job.destinationId !== null && destinationId !== null && destinationId !== job.destinationId)
    return false;
  if (createdAt < job.from || createdAt > job.to) return false;
  switch (job.kind) {
    case "recover":
      return state.kind === "dead" && state.reason !== "cancelled" && destinationId !== null;
    case "cancel":
      return isOpen(notification);
    case "release":
      return state.kind === "held" || (state.kind === "dead" && isReleased(state.reason, envelope));
    case "end":
      return ["retrying", "parked", "held"].includes(state.kind) && destinationId !== null;
    case "replay":
      if (destinationId === null && job.fallbackId === null) return false;
      if (job.objectType === null && job.eventType === null) return true;
      return eventsOf(notification).some((event) => selectsEvent(job, event));
  }
}

/** A flow's step that died because its flow was stopped stays dead: its run has ended. */
function isReleased(reason: DeadReason, { format }: Notification["envelope"]): boolean {
  const isOfStoppedFlow = format === "flow-step" && reason === "destination-disabled";
  return !isOfStoppedFlow && RELEASED.includes(reason);
}

/** Whether an event is of the time and the types that a job asks for. */
export function selectsEvent(job: StreamJob, event: StoredEvent): boolean {
  return (
    event.receivedAt >= job.from &&
    event.receivedAt <= job.to &&
    (job.objectType === null || event.objectType === job.objectType) &&
    (job.eventType === null || event.eventType === job.eventType)
  );
}
