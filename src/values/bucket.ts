import type { Millis } from "./instant";

/** A token bucket: `burst` at once, then `perMinute`. */
export type Bucket = { tokens: number; at: Millis };
export type Allowance = { burst: number; perMinute: number };

/** The bucket with a token taken out; undefined when there is none. `bucket` is undefined at first: it is full. */
export function taken(
  bucket: Bucket | undefined,
  { burst, perMinute }: Allowance,
  now: Millis,
): Bucket | undefined {
  const { tokens, at } = bucket ?? { tokens: burst, at: now };
  const filled = Math.min(burst, tokens + (Math.max(0, now - at) / 60_000) * perMinute);
  return filled < 1 ? undefined : { tokens: filled - 1, at: now };
}
