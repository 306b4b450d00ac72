import type { Millis } from "../../values/instant";

/** How long an isolate uses what the directory said without asking again: so late a change made in another one shows. */
export const FRESH_MS = 250;
/** One caller asks again after this time, so that not all do when it is over. */
export const RENEW_MS = 150;

/** For what a cache is asked for now (`Cache.getAll`). */
export const fresh = (now: Millis): { now: Millis; until: Millis; renewAt: Millis } => ({
  now,
  until: now + FRESH_MS,
  renewAt: now + RENEW_MS,
});
