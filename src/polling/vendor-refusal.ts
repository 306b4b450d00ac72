import type { HubFailure } from "../hub/answer";

/**
 * Until when the vendor wants us to stay away (epoch ms): a rate limit, a 429 or a 503 that names a time. Nothing is
 * wrong with the instance then, and nothing is counted as a failure. Undefined for every other failure.
 */
export function askedToWaitUntil(failure: HubFailure): number | undefined {
  if (failure.kind !== "vendor-error") return undefined;
  const { limited, status, retryAt } = failure;
  return limited === true || status === 429 || status === 503 ? retryAt : undefined;
}
