/** Counts are kept for five minutes, an hour or a day: the older they are, the longer the time that a row sums up. */
export const STEPS = { fine: 300_000, hour: 3_600_000, day: 86_400_000 } as const;

/** The source of what concerns all of an organization's instances: their idle polls, and what the schedule called for. */
export const IDLE_POLLS = "";

/** What is counted apart: an organization's source, and the destination ("" where none is concerned). */
export type RollupKey = { organizationId: number; source: string; destinationId: string };
