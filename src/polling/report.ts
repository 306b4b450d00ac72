import type { NewEvent } from "../stream/event";

/** What one poll of one resource did. */
export type ResourceReport = {
  objectType: string;
  fetched: number;
  created: number;
  updated: number;
  deleted: number;
  error: string | null;
};

export type PollReport =
  | { kind: "polled"; pollDate: number; resources: ResourceReport[] }
  | { kind: "busy"; until: number }
  | { kind: "postponed"; until: number }
  /** The rate budget has no room before `until` for the resources left; absent: for any. */
  | { kind: "crowded"; until: number; left: string[] | undefined }
  | { kind: "not-polled"; reason: string };

export function emptyReport(objectType: string): ResourceReport {
  return { objectType, fetched: 0, created: 0, updated: 0, deleted: 0, error: null };
}

/** Counts the events of a page that the stream had not seen. */
export function countAccepted(
  report: ResourceReport,
  events: readonly NewEvent[],
  accepted: readonly string[],
): void {
  const fresh = new Set(accepted);
  for (const { id, eventType } of events) {
    if (!fresh.has(id)) continue;
    if (eventType === "CREATED") report.created += 1;
    else if (eventType === "DELETED") report.deleted += 1;
    else report.updated += 1;
  }
}

/** Failures of one resource in a row that disable a poller (reference connector-events-api.md §5.4). */
export const FAILURES_TO_DISABLE = 100;
/** One run reads at most this many pages of a resource; the rest follows at once in another run. */
export const PAGES_A_RUN = 200;
/** A list or a feed of more pages than this, read without a pause, never ends. */
export const MOST_PAGES = 10_000;
/** A feed that says it has more, and gives nothing this often in a row, is left until the next poll. */
export const MOST_EMPTY = 20;
/**
 * A list in numbered pages shifts when a record in it changes while it is read. A scan of several such
 * pages that found something new is repeated, this often at most, until one finds nothing.
 */
export const MOST_PASSES = 3;
/** A scan that was put off longer than this starts anew: its page token may no longer hold. */
export const SCAN_LIVES_MS = 3_600_000;
/** A vendor may put an instance off by this much at a time. */
export const MOST_POSTPONED_MS = 86_400_000;

/** A dry run shows at most this many records of a resource. */
export const DRY_RECORDS = 20;

/** What the next poll of a resource would request and emit. */
export type DryReport = {
  objectType: string;
  request: string;
  events: { objectId: string; eventType: string; date: string; data: unknown }[];
  error: string | null;
};

export function dryEvent({
  objectId,
  eventType,
  date,
  data,
}: NewEvent): DryReport["events"][number] {
  return { objectId, eventType, date: new Date(date).toISOString(), data: JSON.parse(data) };
}
