import { type Cause, type Change, changeOf } from "../change";
import type { Listeners } from "../hooks";
import type { Key } from "../key";
import { withoutTargets } from "../references";
import type { Resource, Warning } from "../resource";

/** What a deletion has to do with, as it was read. */
export type Removal = {
  target: Resource;
  /** What goes by the cascade, dependents first. */
  removed: readonly Resource[];
  /** What stays for now: its finalizers, or those of what depends on it, hold it. */
  held: readonly Resource[];
  /** Resources that were dying already and waited only for those removed: they go with them. */
  released: readonly Resource[];
  /** Other resources that name one that goes. */
  namers: readonly Resource[];
};

/** What a deletion does to the resources around it. */
export type Effects = {
  /** All that goes. */
  removals: Resource[];
  /** What begins to die: held, and marked `DELETING`. */
  dying: Resource[];
  /** What stays alive, and no longer names what goes. */
  unlinked: Resource[];
};

export function effectsOf(
  { removed, held, released, namers }: Removal,
  { now, userId }: Pick<Cause, "now" | "userId">,
): Effects {
  const removals = [...removed, ...released];
  const gone = idsOf(removals);
  const changed = (resource: Resource): Resource => ({
    ...resource,
    content: withoutTargets(resource, gone),
    version: resource.version + 1,
    modifiedAt: now,
    modifiedBy: userId,
  });
  const dying = held
    .filter(({ state }) => state === null)
    .map((resource): Resource => ({ ...changed(resource), state: "DELETING" }));
  const dyingIds = idsOf(dying);
  const unlinked = namers.filter(({ id }) => !gone.has(id) && !dyingIds.has(id)).map(changed);
  return { removals, dying, unlinked };
}

/**
 * The changes for the log, in the order in which a watcher can follow them: what depended on the target goes first, then
 * what only changes, and the target with what waited for it last.
 */
export function changesOf(
  { target, removed, released }: Removal,
  { dying, unlinked }: Effects,
  cause: Cause,
  listeners: Listeners,
): Change[] {
  const deleted = (resource: Resource) => changeOf("ResourceDeleted", resource, cause, listeners);
  const updated = (resource: Resource) => changeOf("ResourceUpdated", resource, cause, listeners);
  const last = removed.includes(target) ? [target, ...released] : [];
  return [
    ...removed.filter((resource) => resource !== target).map(deleted),
    ...[...dying, ...unlinked].map(updated),
    ...last.map(deleted),
  ];
}

/** Who must still be there, unchanged, when the deletion is written; else it is decided anew. */
export function expectationsOf(
  { held, namers }: Removal,
  { removals }: Effects,
): (Key & { id: string; version: number })[] {
  const gone = idsOf(removals);
  const others = namers.filter(({ id }) => !gone.has(id));
  return [...removals, ...held, ...others].map((resource) => ({
    ...keyOf(resource),
    version: resource.version,
  }));
}

export const keyOf = ({ kind, scope, name, id }: Key & { id: string }): Key & { id: string } => ({
  kind,
  scope,
  name,
  id,
});

/** Why a resource that was to be deleted is still there. */
export function heldWarning({ kind, name, content }: Resource): Warning {
  const names = content.finalizers.map((finalizer) => `'${finalizer.name}'`).join(", ");
  return {
    code: "HeldByFinalizers",
    detail:
      names === ""
        ? `${kind.kind} '${name}' waits for what it holds`
        : `${kind.kind} '${name}' is held by its finalizers ${names}`,
  };
}

const idsOf = (resources: readonly Resource[]): ReadonlySet<string> =>
  new Set(resources.map(({ id }) => id));
