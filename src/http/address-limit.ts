import { Cache } from "../values/cache";
import type { Millis } from "../values/instant";

const WINDOW_MS = 60_000;

type Window = { count: number; until: Millis };

/**
 * Counts what an address does, `most` times a minute. Answers the seconds that the address has to wait once it did it
 * more often, else undefined.
 */
export type AddressLimit = (
  limiter: RateLimit | undefined,
  address: string,
  now: Millis,
) => Promise<number | undefined>;

/** @param most as in `wrangler.toml`, for where the platform's rate limiter is not bound: each isolate counts for itself. */
export function addressLimit(most: number): AddressLimit {
  const windows = new Cache<string, Window>(10_000);
  return async (limiter, address, now) => {
    if (limiter !== undefined) {
      const { success } = await limiter.limit({ key: address });
      return success ? undefined : WINDOW_MS / 1000;
    }
    const window = windows.get(address, now) ?? { count: 0, until: now + WINDOW_MS };
    window.count += 1;
    windows.set(address, window, window.until);
    return window.count > most ? Math.ceil((window.until - now) / 1000) : undefined;
  };
}
