import { createMiddleware } from "hono/factory";
import { Cache } from "../values/cache";
import type { Millis } from "../values/instant";
import { Refusal } from "./refusal";

/** Of one address in a minute; the same figures stand in `wrangler.toml`. Vendors and tests share an address. */
export const MOST_FAILURES = 600;
const WINDOW_MS = 60_000;

type Window = { count: number; until: Millis };
/** Where the platform counts nothing for us, each isolate does. */
const windows = new Cache<string, Window>(10_000);

/** Counts a failure; the seconds until the address may fail again, once it has failed too often. */
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

/** Nobody was let in: a credential or signature does not fit, or a stranger asked for what isn't there. */
const isFailure = (status: number, isNamed: boolean): boolean =>
  status === 401 || (!isNamed && status >= 400 && status < 500);

/**
 * Tells an address that fails and fails to go away for a while. Only failures count, and only failures are
 * answered so: a good signature or credential always passes, whoever else calls from its address.
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
