import { createMiddleware } from "hono/factory";
import { addressLimit } from "./address-limit";
import { Refusal } from "./refusal";

/** Failures of one address in a minute, as in `wrangler.toml`. So many, since a vendor's customers share its addresses. */
export const MOST_FAILURES = 600;
const countFailure = addressLimit(MOST_FAILURES);

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
  const seconds = await countFailure(c.env.FAILURES, address, Date.now());
  if (seconds !== undefined)
    throw new Refusal({
      kind: "limited",
      message: "Too many requests from this address were refused",
      retryAfterSeconds: seconds,
    });
});
