import { depthOf } from "./kinds/registry";
import type { Resource } from "./resource";

export type Cascade = {
  /** Those that are deleted now, in the order of their changes: dependents first, the target last. */
  removed: Resource[];
  /** Those that stay for now, because of their own finalizers or those of a resource that depends on them. */
  held: Resource[];
};

/**
 * What the deletion of `target` does to it and its `members` (a scope's contents, or all that depend on
 * it by hard references). `force` ignores finalizers.
 */
export function planCascade(
  target: Resource,
  members: readonly Resource[],
  force: boolean,
): Cascade {
  const removed: Resource[] = [];
  const held: Resource[] = [];
  const heldIds = new Set<string>();
  /** Ids of resources that a held one depends on. */
  const needed = new Set<string>();
  const hold = (resource: Resource): void => {
    held.push(resource);
    heldIds.add(resource.id);
    for (const { id, type } of resource.content.references) if (type === "hard") needed.add(id);
  };
  const ordered = members.toSorted((left, right) => depthOf(right.kind) - depthOf(left.kind));
  for (const member of ordered) {
    const finalized = !force && member.content.finalizers.length > 0;
    if (finalized || needed.has(member.id)) hold(member);
    else removed.push(member);
  }
  const finalized = !force && target.content.finalizers.length > 0;
  if (finalized || held.length > 0) hold(target);
  else removed.push(target);
  return { removed, held };
}
