import type { Counts } from "./count";

/** A rollup sums up five minutes. */
export const BUCKET_MS = 300_000;

/** The source of rollups that have the idle polls of all of an organization's instances, and what the schedule called for. */
export const IDLE_POLLS = "";

/** What is counted apart: an organization's source, and the destination ("" where none is concerned). */
export type RollupKey = { organizationId: number; source: string; destinationId: string };

/** Counts of the five minutes that begin at `bucket`, epoch ms. */
export type Rollup = RollupKey & { bucket: number; counts: Counts };
