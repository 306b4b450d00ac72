/**
 * What is counted for one source and destination. `failed` counts tries, not notifications. `rowsWritten`,
 * `objectRequests` and `queueOperations` are what the platform charges for.
 */
export type Counts = {
  polls: number;
  /** Polls that the schedule called for, and how many of them began late or not at all. */
  pollsDue: number;
  pollsLate: number;
  events: number;
  delivered: number;
  failed: number;
  attempts: number;
  rowsWritten: number;
  objectRequests: number;
  queueOperations: number;
  /** A histogram of how long tries took: one number for each bound in `BOUNDS_MS`, and one for all longer ones. */
  durations: number[];
};

/** Upper bounds of the classes in `durations`, in milliseconds. */
export const BOUNDS_MS = [10, 30, 100, 300, 1_000, 3_000, 10_000] as const;

/** The numbers of `Counts` as columns, in the order in which they are stored. */
export const COLUMNS = [
  "polls",
  "events",
  "delivered",
  "failed",
  "attempts",
  "rows_written",
  "object_requests",
  "queue_operations",
  "le_10",
  "le_30",
  "le_100",
  "le_300",
  "le_1000",
  "le_3000",
  "le_10000",
  "longer",
  "polls_due",
  "polls_late",
] as const;

export type CountColumns = Record<(typeof COLUMNS)[number], number>;

/** The values of `COLUMNS`. */
export const valuesOf = (counts: Counts): number[] => [
  counts.polls,
  counts.events,
  counts.delivered,
  counts.failed,
  counts.attempts,
  counts.rowsWritten,
  counts.objectRequests,
  counts.queueOperations,
  ...counts.durations,
  counts.pollsDue,
  counts.pollsLate,
];

export const countsFrom = (row: CountColumns): Counts => ({
  polls: row.polls,
  pollsDue: row.polls_due,
  pollsLate: row.polls_late,
  events: row.events,
  delivered: row.delivered,
  failed: row.failed,
  attempts: row.attempts,
  rowsWritten: row.rows_written,
  objectRequests: row.object_requests,
  queueOperations: row.queue_operations,
  durations: [
    row.le_10,
    row.le_30,
    row.le_100,
    row.le_300,
    row.le_1000,
    row.le_3000,
    row.le_10000,
    row.longer,
  ],
});

export function noCounts(): Counts {
  return {
    polls: 0,
    pollsDue: 0,
    pollsLate: 0,
    events: 0,
    delivered: 0,
    failed: 0,
    attempts: 0,
    rowsWritten: 0,
    objectRequests: 0,
    queueOperations: 0,
    durations: Array.from({ length: BOUNDS_MS.length + 1 }, () => 0),
  };
}

export function add(into: Counts, more: Partial<Counts>): void {
  into.polls += more.polls ?? 0;
  into.pollsDue += more.pollsDue ?? 0;
  into.pollsLate += more.pollsLate ?? 0;
  into.events += more.events ?? 0;
  into.delivered += more.delivered ?? 0;
  into.failed += more.failed ?? 0;
  into.attempts += more.attempts ?? 0;
  into.rowsWritten += more.rowsWritten ?? 0;
  into.objectRequests += more.objectRequests ?? 0;
  into.queueOperations += more.queueOperations ?? 0;
  more.durations?.forEach((count, index) => {
    into.durations[index] = (into.durations[index] ?? 0) + count;
  });
}

/** The part of a delivery's outcome (`delivery/attempt.ts`) that is counted. */
type Outcome = { attempt?: { durationMs: number } | undefined; next: { kind: string } };

/** The counts that the outcomes of a bundle add. An outcome without a try, for example `parked`, adds nothing. */
export function countsOf(outcomes: readonly Outcome[]): Partial<Counts> {
  const tried = outcomes.flatMap(({ attempt }) => attempt ?? []);
  const { durations } = noCounts();
  for (const { durationMs } of tried) {
    const found = BOUNDS_MS.findIndex((bound) => durationMs <= bound);
    const index = found === -1 ? BOUNDS_MS.length : found;
    durations[index] = (durations[index] ?? 0) + 1;
  }
  return {
    attempts: tried.length,
    delivered: outcomes.filter(({ next }) => next.kind === "delivered").length,
    failed: outcomes.filter(
      ({ attempt, next }) => attempt !== undefined && next.kind !== "delivered",
    ).length,
    durations,
  };
}

/**
 * A percentile of the tries' durations, for example `share` 0.99: the upper bound of the class that it lies in, in
 * milliseconds, and 15,000 in the class of the longest. Null without tries.
 */
export function percentile(durations: readonly number[], share: number): number | null {
  const total = durations.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [index, count] of durations.entries()) {
    below += count;
    if (below >= total * share) return BOUNDS_MS[index] ?? 15_000;
  }
  return null;
}
