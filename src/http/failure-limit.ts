import { createMiddleware } from "hono/factory";
import { addressLimit } from "./address-limit";
import { Refusal } from "./refusal";

/** Failures of one address in a minute, as in `wrangler.toml`. So many, since a vendor's customers share its addresses. */
export const MOST_FAILURES = 600;
const countFailure = addressLimit(MOST_FAILURES);

/** Who is asking, as the surfaces find out: a key's or member's organization, or a user. */
type Known = { asker?: unknown; user?: unknown };

/**
 * A wrong credential or signature; or, from somebody who proved nothing, any 4xx. A key that may not do something (403)
 * was recognized.
 */
const isFailure = (status: number, isKnown: boolean): boolean =>
  status === 401 || (!isKnown && status >= 400 && status < 500 && status !== 403);

/**
 * Answers an address that keeps failing with "come back later". Only failures count, and only a failure is answered
 * so: a good signature or credential always passes, whoever else calls from its address.
 * @throws Refusal `limited` in the place of the failure.
 */
export const limitFailures = createMiddleware<{ Bindings: Env; Variables: Known }>(
  async (c, next) => {
    await next();
    const address = c.req.header("cf-connecting-ip");
    const isKnown = c.get("asker") !== undefined || c.get("user") !== undefined;
    if (address === undefined || !isFailure(c.res.status, isKnown)) return;
    const seconds = await countFailure(c.env.FAILURES, address, Date.now());
    if (seconds !== undefined)
      throw new Refusal({
        kind: "limited",
        message: "Too many requests from this address were refused",
        retryAfterSeconds: seconds,
      });
  },
);
