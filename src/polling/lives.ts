import { deadKey } from "../instances/deletions";
import type { Happened } from "../stream/event";

/**
 * Who is dead: the objects whose deletion was told, each under a key of the stream's state. One deletion may be seen in
 * several ways (a field of the record, a comparison of all ids, the vendor's list of deletions) and is told once; an
 * object that is back is CREATED.
 */

export type Lives = { events: Happened[]; state: { key: string; value: string | null }[] };

/**
 * The events to tell of one resource, and what is then known of their objects.
 * @param dead ids of those whose deletion was told before.
 * @param isOld whether an event was told before, and says nothing of today.
 */
export function toldOnce(
  resource: string,
  events: readonly Happened[],
  dead: ReadonlySet<string>,
  isOld: (event: Happened) => boolean,
): Lives {
  const now = new Set(dead);
  const told = events.flatMap((event): Happened[] => {
    const { objectId, eventType } = event;
    if (eventType === "DELETED") {
      if (now.has(objectId)) return [];
      now.add(objectId);
      return [event];
    }
    if (!now.has(objectId) || isOld(event)) return [event];
    now.delete(objectId);
    return [{ ...event, eventType: "CREATED" }];
  });
  const changed = now.symmetricDifference(dead);
  return {
    events: told,
    state: [...changed].map((id) => ({
      key: deadKey(resource, id),
      value: now.has(id) ? "" : null,
    })),
  };
}
