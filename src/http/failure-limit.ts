import { createMiddleware } from "hono/factory";
import { Cache } from "../values/cache";
import type { Millis } from "../values/instant";
import { Refusal } from "./refusal";

/** Failures of one address in a minute, as in `wrangler.toml`. So many, since a vendor's customers share its addresses. */
export const MOST_FAILURES = 600;
const WINDOW_MS = 60_000;

type Window = { count: number; until: Millis };
/** Failures by address, used where the platform's rate limiter is not bound: each isolate counts for itself. */
const windows = new Cache<string, Window>(10_000);

/** Counts a failure. Answers the seconds that the address has to wait once it has failed too often, else undefined. */
async function count(
  limiter: RateLimit | undefined,
  address: string,
  now: Millis,
): Promise<number | undefined> {
  if (limiter !== undefined) {
    const { success } = await limiter.limit({ key: address });
    return success ? undefined : WINDOW_MS / 1000;
  }
  const window = windows.get(address, now) ?? { count: 0, until: now + WINDOW_MS };
  window.count += 1;
  windows.set(address, window, window.until);
  return window.count > MOST_FAILURES ? Math.ceil((window.until - now) / 1000) : undefined;
}

/** A wrong credential or signature; or, from a caller without credentials (`isNamed` false), any 4xx. */
const isFailure = (status: number, isNamed: boolean): boolean =>
  status === 401 || (!isNamed && status >= 400 && status < 500);

/**
 * Answers an address that keeps failing with "come back later". Only failures count, and only a failure is answered
 * so: a good signature or credential always passes, whoever else calls from its address.
 * @throws Refusal `limited` in the place of the failure.
 */
export const limitFailures = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  await next();
  const address = c.req.header("cf-connecting-ip");
  const isNamed = c.req.header("authorization") !== undefined;
  if (address === undefined || !isFailure(c.res.status, isNamed)) return;
  const seconds = await count(c.env.FAILURES, address, Date.now());
  if (seconds !== undefined)
    throw new Refusal({
      kind: "limited",
      message: "Too many requests from this address were refused",
      retryAfterSeconds: seconds,
    });
});
