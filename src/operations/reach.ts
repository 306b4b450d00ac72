import type { Limits } from "../accounts/scope";
import { instanceDestinationId } from "../delivery/destination";
import { instanceOfSource } from "../stream/stream-name";

/** The sources and destinations that an asker gets to see; undefined: all of the organization. */
export type Reach = Limits | undefined;

/** A key of an instance also reaches the destination that the instance itself has. */
export function reachOf({ limits }: { limits?: Limits }): Reach {
  if (limits === undefined) return undefined;
  const own = limits.sources.flatMap((source) => {
    const instanceId = instanceOfSource(source);
    return instanceId === undefined ? [] : instanceDestinationId(instanceId);
  });
  return { ...limits, destinations: [...limits.destinations, ...own] };
}

export const reachesSource = (reach: Reach, source: string): boolean =>
  reach === undefined || reach.sources.includes(source);

export const reachesDestination = (reach: Reach, id: string): boolean =>
  reach === undefined || reach.destinations.includes(id);
