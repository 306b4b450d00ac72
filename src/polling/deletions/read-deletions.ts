import type { Deletions } from "../../connectors/definition";
import { textOf } from "../../connectors/read";
import { eventId } from "../../stream/event-id";
import type { Happened } from "../../stream/event";
import { readPath } from "../../values/path";
import { toInstant } from "../../values/instant";

/** One page of a vendor's list of deletions. Instants in epoch ms. */
export type Listed =
  | {
      kind: "listed";
      events: Happened[];
      /** The cursor of the next page. */
      next: string | undefined;
      /** Up to when the vendor vouches for the list; undefined: up to now. */
      covered: number | undefined;
    }
  /** The list no longer reaches back to `after`: deletions may be missing from it. */
  | { kind: "too-old" }
  | { kind: "unreadable" };

/**
 * The deletions of `resource` later than `after`; one whose date cannot be read counts as of now. A deletion that is
 * listed again has the same event id again.
 */
export function readDeletions(
  answer: unknown,
  { root, idField, dateField, cursor, window }: Deletions,
  {
    source,
    resource,
    after,
    now,
  }: { source: string; resource: string; after: number; now: number },
): Listed {
  // No content is an empty list, but not where the answer must say up to when it vouches for that.
  const records = answer === undefined && window === undefined ? [] : readPath(answer, root);
  if (!Array.isArray(records)) return { kind: "unreadable" };
  const earliest =
    window === undefined ? undefined : toInstant(readPath(answer, window.earliestPath));
  if (earliest !== undefined && earliest > after) return { kind: "too-old" };
  const list: unknown[] = records;
  return {
    kind: "listed",
    events: list.flatMap((record) => {
      const id = textOf(readPath(record, idField));
      const dateText = readPath(record, dateField);
      const date = toInstant(dateText);
      if (id === undefined || (date !== undefined && date <= after)) return [];
      const version = date === undefined ? `undated:${textOf(dateText) ?? ""}` : String(date);
      return [
        {
          id: eventId(source, resource, id, version),
          objectType: resource,
          objectId: id,
          eventType: "DELETED" as const,
          date: date ?? now,
          data: JSON.stringify(record),
        },
      ];
    }),
    next: cursor === undefined ? undefined : textOf(readPath(answer, cursor.path)),
    covered: window === undefined ? undefined : toInstant(readPath(answer, window.coveredPath)),
  };
}
