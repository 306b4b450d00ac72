import type { Deletions } from "../../connectors/definition";
import { instantOf, textOf } from "../../connectors/read";
import { eventId } from "../../stream/event-id";
import type { NewEvent } from "../../stream/event";
import { readPath } from "../../values/path";

/** What a vendor's list of deletions says. */
export type Listed =
  | {
      kind: "listed";
      events: NewEvent[];
      /** The cursor of the next page. */
      next: string | undefined;
      /** How far the list reaches; absent: to the moment it was asked for. */
      covered: number | undefined;
    }
  /** It does not reach back to where the last one ended. */
  | { kind: "too-old" }
  | { kind: "unreadable" };

/** Deletions of `resource` later than `after`. The same deletion has the same id, however often it is listed. */
export function readDeletions(
  answer: unknown,
  { root, idField, dateField, cursor, window }: Deletions,
  { source, resource, after }: { source: string; resource: string; after: number },
): Listed {
  const records = readPath(answer, root);
  if (!Array.isArray(records)) return { kind: "unreadable" };
  const earliest =
    window === undefined ? undefined : instantOf(readPath(answer, window.earliestPath));
  if (earliest !== undefined && earliest > after) return { kind: "too-old" };
  const list: unknown[] = records;
  return {
    kind: "listed",
    events: list.flatMap((record) => {
      const id = textOf(readPath(record, idField));
      const date = instantOf(readPath(record, dateField));
      if (id === undefined || date === undefined || date <= after) return [];
      return [
        {
          id: eventId(source, resource, id, String(date)),
          objectType: resource,
          objectId: id,
          eventType: "DELETED" as const,
          date,
          data: JSON.stringify(record),
          to: [0],
        },
      ];
    }),
    next: cursor === undefined ? undefined : textOf(readPath(answer, cursor.path)),
    covered: window === undefined ? undefined : instantOf(readPath(answer, window.coveredPath)),
  };
}
