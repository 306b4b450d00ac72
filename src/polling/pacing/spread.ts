/** The longest a queue keeps a message back. */
const LONGEST_DELAY_SECONDS = 43_200;
/** Polls that come back together begin within so long a time: less than a poll waits, as they come early. */
const PART_MS = 3_000;

export type Part<T> = { items: T[]; delaySeconds: number };

/**
 * When those come back that found no room: so many at a time as the rate has room for, each part a little
 * early, so that it stands in line when its first start comes.
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

/** Whole seconds until `at`, at least one, rounded down. */
export function delayUntil(at: number, now: number): number {
  return Math.min(Math.max(Math.floor((at - now) / 1000), 1), LONGEST_DELAY_SECONDS);
}
