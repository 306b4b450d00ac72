/** The longest that a queue delays a message. */
const LONGEST_DELAY_SECONDS = 43_200;
/**
 * One message brings back as many polls as the vendor allows in this time. They come a little early, and wait for their
 * turns; a poll waits for five seconds, so all of them find room.
 */
const PART_MS = 3_000;

export type Part<T> = { items: T[]; delaySeconds: number };

/**
 * When polls come back that found no room in their rate budget: in parts, each a little before the time of its first
 * request. Example: at 1 request a second from 12:00:10 on, ten polls of one request each come back as three at
 * :10, three at :13, three at :16 and one at :19.
 */
export function spread<T>(
  items: readonly T[],
  {
    returnAt,
    ratePerSecond,
    requestsEach,
    now,
  }: { returnAt: number; ratePerSecond: number | undefined; requestsEach: number; now: number },
): Part<T>[] {
  const perSecond = (ratePerSecond ?? Infinity) / Math.max(1, requestsEach);
  const size = Math.max(1, Math.floor((perSecond * PART_MS) / 1000));
  const parts: Part<T>[] = [];
  for (let from = 0; from < items.length; from += size) {
    const at = returnAt + (from / perSecond) * 1000;
    parts.push({ items: items.slice(from, from + size), delaySeconds: delayUntil(at, now) });
  }
  return parts;
}

/** The delay of a queue message that is to come at `at`: whole seconds, rounded down, at least one. */
export function delayUntil(at: number, now: number): number {
  return Math.min(Math.max(Math.floor((at - now) / 1000), 1), LONGEST_DELAY_SECONDS);
}
