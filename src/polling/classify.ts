/** Which event a polled record is (reference connector-events-api.md §5.4). */

export type RecordDates = { updated?: number | undefined; created?: number | undefined };

/** Instants in epoch ms. `after` is the last poll (exclusive), `upTo` the start of this one (inclusive). */
export type DateRule = {
  after: number;
  upTo: number;
  filterByUpdatedDate: boolean;
  filterByCurrentDate: boolean;
  toleranceMs: number;
};

/** `later`: left for the next poll. `undated`: no date filter applies, the content hash decides. */
export type Classification =
  | { kind: "ignored" }
  | { kind: "later" }
  | { kind: "emit"; eventType: "CREATED" | "UPDATED"; at: number }
  | { kind: "undated"; eventType?: "UPDATED" };

export function classify(dates: RecordDates, rule: DateRule): Classification {
  const { created } = dates;
  const at = dates.updated ?? created;
  const isLater = rule.filterByCurrentDate && at !== undefined && at > rule.upTo;
  const tested = rule.filterByUpdatedDate ? at : created;
  if (tested !== undefined && tested <= rule.after) return { kind: "ignored" };
  if (isLater) return { kind: "later" };
  if (tested === undefined || at === undefined) {
    return rule.filterByUpdatedDate
      ? { kind: "undated" }
      : { kind: "undated", eventType: "UPDATED" };
  }
  const isNew = created !== undefined && at - created <= rule.toleranceMs;
  return { kind: "emit", eventType: isNew ? "CREATED" : "UPDATED", at };
}

export type HashDecision = "same" | "record-only" | "CREATED" | "UPDATED";

/** What the content hash of an undated record says, against the one kept from the last poll. */
export function hashDecision(
  previous: { hash: string } | undefined,
  hash: string,
  context: { templated: boolean; firstPoll: boolean },
): HashDecision {
  if (previous) return previous.hash === hash ? "same" : "UPDATED";
  if (context.templated) return "UPDATED";
  return context.firstPoll ? "record-only" : "CREATED";
}

/** Records that must be seen before their order is believed. */
const ORDERED_RECORDS = 5;

/** Whether the dates read so far come newest first, so that reading may stop at the first old one. */
export function newestFirst(datesSeen: readonly number[]): boolean {
  if (datesSeen.length < ORDERED_RECORDS || new Set(datesSeen).size < 2) return false;
  return datesSeen.every((date, index) => date <= (datesSeen[index - 1] ?? Infinity));
}
