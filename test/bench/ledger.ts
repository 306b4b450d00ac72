/** What one isolate used of the platform, counted where it is used. */
export type Ledger = typeof ledger;

export const ledger = {
  /** Invocations of the Worker: requests, queue batches, cron ticks. */
  workerRequests: 0,
  objectRequests: 0,
  objectRowsRead: 0,
  /** `setAlarm` counts as one row; the purge's are in here. */
  objectRowsWritten: 0,
  alarmsSet: 0,
  /** Rows an object writes when it is used for the first time: its tables. */
  tableRowsWritten: 0,
  /** Statements, those of batches one by one. */
  d1Queries: 0,
  /** Those of them that wrote nothing. */
  d1Reads: 0,
  d1RowsRead: 0,
  d1RowsWritten: 0,
  queueMessages: 0,
  /** Writes, reads and deletes, each per 64 KB. */
  queueOperations: 0,
};

/** USD per million units beyond what the paid plan includes (Cloudflare's prices of November 2026). */
const price: { [unit in keyof Ledger]?: number } = {
  workerRequests: 0.3,
  objectRequests: 0.15,
  objectRowsRead: 0.001,
  objectRowsWritten: 1,
  d1RowsRead: 0.001,
  d1RowsWritten: 1,
  queueOperations: 0.4,
};

const units = Object.keys(ledger) as (keyof Ledger)[];

/** What was used between two readings, for each of `count` things. */
export function perThing(before: Ledger, after: Ledger, count: number): Ledger {
  if (units.some((unit) => after[unit] < before[unit]))
    throw new Error("The Worker was started anew in the middle of the bench");
  return Object.fromEntries(
    units.map((unit) => [unit, (after[unit] - before[unit]) / count]),
  ) as Ledger;
}

/** USD for a million of what each used this much; CPU time and object duration can't be counted locally. */
export function dollarsPerMillion(used: Ledger): number {
  return units.reduce((sum, unit) => sum + used[unit] * (price[unit] ?? 0), 0);
}
