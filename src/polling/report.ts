import type { Entered } from "../hub/budget/limit";
import type { Happened } from "../stream/event";

/** What one poll of one resource did: records read, events by type that were new to the stream, and what went wrong. */
export type ResourceReport = {
  objectType: string;
  fetched: number;
  created: number;
  updated: number;
  deleted: number;
  error: string | null;
};

/** Instants in epoch ms. */
export type PollReport =
  | { kind: "polled"; pollDate: number; resources: ResourceReport[] }
  /** Another isolate polls this instance: its lease ends at `until`, unless it is renewed. */
  | { kind: "busy"; until: number }
  /** The vendor asked not to be called before `until`. */
  | { kind: "postponed"; until: number }
  /** The vendor's rate budget had no room before `until` for the resources in `left`; undefined: for none at all. */
  | { kind: "crowded"; until: number; left: string[] | undefined }
  /**
   * Its message had nothing left (`pacing/ration.ts`) for the resources in `left`; undefined: for none at all. `isBegun`: the
   * vendor has answered something.
   */
  | { kind: "cut"; left: string[] | undefined; isBegun: boolean }
  /** The vendor gives no answer: it was left alone until its next try, or is polled in the slow lane now. */
  | { kind: "unreachable"; turn: "later" | "slow-lane" }
  | { kind: "not-polled"; reason: string };

/** Another instance of an account is being polled, whose polls must come one after another. */
export type Behind = Extract<Entered, { kind: "behind" }>;

export function emptyReport(objectType: string): ResourceReport {
  return { objectType, fetched: 0, created: 0, updated: 0, deleted: 0, error: null };
}

/** Adds the events of a commit to a report: those whose ids the stream accepted as new. */
export function countAccepted(
  report: ResourceReport,
  events: readonly Happened[],
  accepted: readonly string[],
): void {
  const fresh = new Set(accepted);
  for (const { id, eventType } of events) {
    // The same change read twice in one poll is one event.
    if (!fresh.delete(id)) continue;
    if (eventType === "CREATED") report.created += 1;
    else if (eventType === "DELETED") report.deleted += 1;
    else report.updated += 1;
  }
}
