import type { Descriptor, Fault } from "../descriptor";

/**
 * One event may start this many steps at most. A step counts once for every way that leads to it: below two steps
 * that both lead to it, it runs twice.
 */
const MOST_STEPS = 1_000;

/** Circles, and flows in which one event would start too many steps. */
export function shapeFaults(descriptor: Descriptor): Fault[] {
  const { counts, circular } = stepCounts(descriptor);
  const faults = circular.map((componentId) => ({
    componentId,
    field: "source",
    message: "The sources go round in a circle",
  }));
  const [crowded] = [...descriptor.keys()].filter((id) => (counts.get(id) ?? 0) > MOST_STEPS + 1);
  if (crowded === undefined) return faults;
  const message = `One event would set off more than ${MOST_STEPS} steps`;
  return [...faults, { componentId: crowded, field: "source", message }];
}

/** How many components run when one runs, itself included; and those from which a way leads back to themselves. */
function stepCounts(descriptor: Descriptor): {
  counts: ReadonlyMap<string, number>;
  circular: string[];
} {
  const below = new Map<string, string[]>();
  for (const { id, inputs } of descriptor.values())
    for (const { from } of inputs) below.set(from, [...(below.get(from) ?? []), id]);
  const counts = new Map<string, number>();
  const underWay = new Set<string>();
  const circular = new Set<string>();
  const count = (id: string): number => {
    const counted = counts.get(id);
    if (counted !== undefined) return counted;
    if (underWay.has(id)) {
      circular.add(id);
      return 0;
    }
    underWay.add(id);
    const total = (below.get(id) ?? []).reduce((sum, child) => sum + count(child), 1);
    counts.set(id, total);
    return total;
  };
  for (const id of descriptor.keys()) count(id);
  return { counts, circular: [...circular] };
}
