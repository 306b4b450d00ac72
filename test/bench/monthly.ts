/**
 * What a deployment costs a month: `node test/bench/monthly.ts`. The counts of a poll and a change are those of
 * `npm run bench -- --only polls`; prices and what the paid plan includes are Cloudflare's of November 2026.
 */

/** Per million beyond what is included, USD, and what is included in a month, in millions. */
const METERS = {
  objectRequests: { price: 0.15, included: 1 },
  objectRowsWritten: { price: 1, included: 50 },
  d1RowsWritten: { price: 1, included: 50 },
  queueOperations: { price: 0.4, included: 1 },
  workerRequests: { price: 0.3, included: 10 },
  cpuMs: { price: 0.02, included: 30 },
} as const;
type Meter = keyof typeof METERS;

const PLAN = 5;
const LOG_LINE = { price: 0.6, included: 20 };
const POLLS_A_DAY = 96;
const CHANGES_A_DAY = 10;
const DAYS = 30;

/** Counted, but for the CPU time, which is an assumption on the high side. */
const IDLE_POLL: Record<Meter, number> = {
  objectRequests: 1,
  objectRowsWritten: 0,
  d1RowsWritten: 0.01,
  queueOperations: 0.03,
  workerRequests: 0.02,
  cpuMs: 3,
};
const LONE_CHANGE: Record<Meter, number> = {
  objectRequests: 5.5,
  objectRowsWritten: 4,
  d1RowsWritten: 0.015,
  queueOperations: 3,
  workerRequests: 1.5,
  cpuMs: 5,
};

/** USD for `millions` of a meter. */
const beyond = (millions: number, { price, included }: { price: number; included: number }) =>
  Math.max(0, millions - included) * price;

/** A month of `instances` that are polled every 15 minutes and have ten changes a day each, every one alone in its poll. */
export function monthly(instances: number) {
  const polls = (instances * POLLS_A_DAY * DAYS) / 1e6;
  const changes = (instances * CHANGES_A_DAY * DAYS) / 1e6;
  const used = (meter: Meter) => polls * IDLE_POLL[meter] + changes * LONE_CHANGE[meter];
  const meters = Object.keys(METERS) as Meter[];
  const cost = meters.reduce((sum, meter) => sum + beyond(used(meter), METERS[meter]), PLAN);
  // The platform would write a line for each request, each batch and each call of an object.
  const lines = used("objectRequests") + used("workerRequests");
  return {
    instances,
    "polls, millions": polls,
    "changes, millions": changes,
    "USD a month": Math.round(cost),
    "USD with a log line for every invocation": Math.round(cost + beyond(lines, LOG_LINE)),
  };
}

if (import.meta.main) console.table([1_000, 10_000, 100_000].map(monthly));
