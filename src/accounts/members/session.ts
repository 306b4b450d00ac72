import type { Millis } from "../../values/instant";

/** A session ends 12 hours after it was last used. */
export const IDLE_MS = 12 * 3_600_000;
/** It ends 30 days after it began, however much it is used. */
export const LIFE_MS = 30 * 86_400_000;
/** The last use is written at most this often, so that most pages write nothing. */
const NOTED_EVERY_MS = 5 * 60_000;

/** The instants that decide when a session ends. */
export type Span = { createdAt: Millis; seenAt: Millis };

/** When a session ends if it isn't used again. */
export const endOf = ({ createdAt, seenAt }: Span): Millis =>
  Math.min(createdAt + LIFE_MS, seenAt + IDLE_MS);

/** Whether this use of a session is to be written. */
export const isToBeNoted = ({ seenAt }: Span, now: Millis): boolean =>
  now - seenAt >= NOTED_EVERY_MS;
