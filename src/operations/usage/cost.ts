import type { Counts } from "../../metering/count";

/** Published prices in dollars a million, beyond what a plan includes. */
const PRICES = {
  rowsWritten: 1.0,
  objectRequests: 0.15,
  queueOperations: 0.4,
  workerRequests: 0.3,
  cpuMs: 0.02,
};
/** Rows of D1: what counting a try takes, measured (`test/README.md`), and the exception that a failed one is. */
const D1_ROWS = { attempt: 0.015, failed: 1 };
/** CPU of one poll or one bundle: a bound the limits in `wrangler.toml` keep far below. */
const CPU_MS_A_CALL = 5;

/** What counts cost by the published prices; included quotas are not taken off. */
export function costUsd({
  rowsWritten,
  objectRequests,
  queueOperations,
  polls,
  attempts,
  failed,
}: Counts): number {
  const calls = polls / 100 + attempts / 10;
  const d1Rows = attempts * D1_ROWS.attempt + failed * D1_ROWS.failed;
  const millionths =
    (rowsWritten + d1Rows) * PRICES.rowsWritten +
    objectRequests * PRICES.objectRequests +
    queueOperations * PRICES.queueOperations +
    calls * PRICES.workerRequests +
    (polls + attempts) * CPU_MS_A_CALL * PRICES.cpuMs;
  return Math.round(millionths) / 1_000_000;
}
