import type { Counts } from "../../metering/count";

/** Published prices in dollars a million, beyond what a plan includes. */
const PRICES = {
  rowsWritten: 1.0,
  objectRequests: 0.15,
  queueOperations: 0.4,
  workerRequests: 0.3,
  cpuMs: 0.02,
};
/** CPU of one poll or one bundle: a bound the limits in `wrangler.toml` keep far below. */
const CPU_MS_A_CALL = 5;

/** What counts cost by the published prices; included quotas are not taken off. */
export function costUsd({
  rowsWritten,
  objectRequests,
  queueOperations,
  polls,
  attempts,
}: Counts): number {
  const calls = polls / 100 + attempts / 10;
  const millionths =
    rowsWritten * PRICES.rowsWritten +
    objectRequests * PRICES.objectRequests +
    queueOperations * PRICES.queueOperations +
    calls * PRICES.workerRequests +
    (polls + attempts) * CPU_MS_A_CALL * PRICES.cpuMs;
  return Math.round(millionths) / 1_000_000;
}
