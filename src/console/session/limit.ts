import type { Cache } from "../../values/cache";

/** Failed sign-ins of the last while, by what they have in common. Lives in an isolate's memory. */
export type Failures = Cache<string, { count: number; until: number }>;

const WINDOW_MS = 15 * 60_000;
export const MOST_KEYS = 10_000;

type Try = { email: string; address: string };

/** How many failures each key bears: a person at one address, an address, a person from anywhere. */
const limitsOf = ({ email, address }: Try): [key: string, most: number][] => [
  [`both ${address} ${email}`, 5],
  [`address ${address}`, 30],
  [`email ${email}`, 100],
];

/** Seconds to wait before another try; 0 when it may be made now. */
export function secondsToWait(failures: Failures, tried: Try, now: number): number {
  const waits = limitsOf(tried).map(([key, most]) => {
    const entry = failures.get(key, now);
    return entry !== undefined && entry.count >= most ? entry.until - now : 0;
  });
  return Math.max(0, Math.ceil(Math.max(...waits) / 1000));
}

/**
 * Takes note of a try as a failure, before it is judged, so that tries made at once all count. Each key's
 * window begins with its first failure.
 */
export function noteFailure(failures: Failures, tried: Try, now: number): void {
  for (const [key] of limitsOf(tried)) {
    const entry = failures.get(key, now);
    const until = now + WINDOW_MS;
    if (entry === undefined) failures.set(key, { count: 1, until }, until);
    else entry.count += 1;
  }
}

/** The try was none: takes back what was noted. */
export function takeBack(failures: Failures, tried: Try, now: number): void {
  for (const [key] of limitsOf(tried)) {
    const entry = failures.get(key, now);
    if (entry !== undefined) entry.count -= 1;
  }
}
