import type { Millis } from "../../values/instant";

/** A session ends so long after it was last seen: 12 hours. */
export const IDLE_MS = 12 * 3_600_000;
/** And so long after it began, seen or not: 30 days. */
export const LIFE_MS = 30 * 86_400_000;
/** That a session was seen is written down once in so long: pages that follow one another write nothing. */
const NOTED_EVERY_MS = 5 * 60_000;

/** The lives of a session, as its row has them. */
export type Span = { createdAt: Millis; seenAt: Millis };

/** When a session ends if it isn't seen again. */
export const endOf = ({ createdAt, seenAt }: Span): Millis =>
  Math.min(createdAt + LIFE_MS, seenAt + IDLE_MS);

/** Whether it is time to write down that a session is seen now. */
export const isToBeNoted = ({ seenAt }: Span, now: Millis): boolean =>
  now - seenAt >= NOTED_EVERY_MS;
