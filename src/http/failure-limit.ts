import { createMiddleware } from "hono/factory";
import { addressLimit } from "./address-limit";
import { limited } from "./refusal";

/** Failures of one address in a minute, as in `wrangler.toml`. So many, since a vendor's customers share its addresses. */
export const MOST_FAILURES = 600;
const countFailure = addressLimit(MOST_FAILURES);

/**
 * What handlers found out about a request: whose it is, or that it is nobody's though its answer doesn't say so (a
 * delivery for no instance of ours, a session that is over).
 */
export type ProofEnv = { Variables: { asker?: unknown; user?: unknown; isUnproven?: boolean } };

/** A wrong credential or signature; or, from a caller who proved nothing, any 4xx. */
function isFailure(status: number, { asker, user, isUnproven }: ProofEnv["Variables"]): boolean {
  const isKnown = asker !== undefined || user !== undefined;
  return status === 401 || isUnproven === true || (!isKnown && status >= 400 && status < 500);
}

/**
 * Answers an address that keeps failing with "come back later". Only failures count, and only a failure is answered
 * so: a good signature or credential always passes, whoever else calls from its address.
 * @throws Refusal `limited` in the place of the failure.
 */
export const limitFailures = createMiddleware<{ Bindings: Env } & ProofEnv>(async (c, next) => {
  await next();
  const address = c.req.header("cf-connecting-ip");
  if (address === undefined || !isFailure(c.res.status, c.var)) return;
  const seconds = await countFailure(c.env.FAILURES, address, Date.now());
  if (seconds !== undefined)
    throw limited("Too many requests from this address were refused", seconds);
});
