import { hashOf } from "../search/postings";
import type { Queues } from "./lanes.io";

type Bindings = { DELIVERIES: Queues["fast"]; DELIVERIES_SLOW: Queues["slow"] };

/**
 * The two queues that a stream sends its notifications by. A deployment may have several for each lane, bound as
 * `DELIVERIES`, `DELIVERIES_2`, `DELIVERIES_3` … and `DELIVERIES_SLOW`, `DELIVERIES_SLOW_2` …: the stream's name says
 * which. Any consumer takes what any queue hands over, so queues can be added and removed at any time: what a removed
 * one held is sent again by another when its leases end.
 */
export function queuesOf(bindings: Bindings, stream: string): Queues {
  return {
    fast: chosen(bindings, "DELIVERIES", stream),
    slow: chosen(bindings, "DELIVERIES_SLOW", stream),
  };
}

function chosen<First extends keyof Bindings>(
  bindings: Bindings,
  first: First,
  stream: string,
): Bindings[First] {
  const others = Object.entries(bindings)
    .filter(([name]) => name.startsWith(`${first}_`) && /^\d+$/.test(name.slice(first.length + 1)))
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  const index = hashOf(stream) % (others.length + 1);
  return others[index - 1]?.[1] ?? bindings[first];
}
