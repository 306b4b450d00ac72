import { findEndpoints } from "../delivery/endpoints.store";
import type { Commit, Committed, Happened } from "../stream/event";
import { type CommitDoors, commitCounted, type Decided } from "../stream/counted-commit.io";
import { addressed } from "./address";
import { endpointSubscriptions, type Origin } from "./endpoints";
import type { Subscription } from "./subscription";

export type IngestDoors = CommitDoors;

/** What a source tells: events that nobody is addressed with yet, and what else moves with them. */
export type Happening = Omit<Decided, "commit"> & {
  commit: Omit<Commit, "events" | "targets" | "retentionMs"> & { events: readonly Happened[] };
  /** What endpoints choose events by, beside the source. */
  origin: Omit<Origin, "source">;
  /** Those who hear of this source in particular. Asked only when there are events. */
  own: () => Promise<readonly Subscription[]> | readonly Subscription[];
};

/**
 * The one way from "it happened" to "it is kept, and who hears of it is known", for every source: asks who hears of each
 * event, and commits events, notifications and the source's cursor in one transaction.
 * @returns `stale` only to a source that named the version or the lease that its commit relies on. `heardBy`: how many
 * hear of each event, by its id.
 * @throws what the stream throws: then it is not certain that anything was kept.
 */
export async function ingest(
  doors: IngestDoors,
  { commit, origin, own, ...decided }: Happening,
): Promise<Committed & { heardBy: ReadonlyMap<string, number> }> {
  const { organizationId, source } = decided;
  const subscriptions = async (): Promise<Subscription[]> => {
    const [ofSource, endpoints] = await Promise.all([
      own(),
      findEndpoints(doors.db, organizationId, origin.tenant),
    ]);
    return [...ofSource, ...endpointSubscriptions(endpoints, { ...origin, source })];
  };
  const { events, targets } = await addressed(
    commit.events,
    commit.events.length === 0 ? [] : await subscriptions(),
  );
  const committed = await commitCounted(doors, {
    ...decided,
    commit: { ...commit, events, targets },
  });
  return { ...committed, heardBy: new Map(events.map(({ id, to }) => [id, to.length])) };
}
