import { prepareRemoval } from "../../delivery/remove-destination.store";
import { prepareDestination } from "../../delivery/save-destination.store";
import { planCascade } from "../cascade";
import { type Cause, changeOf } from "../change";
import { type Count, emptyPlan, type Plan } from "../commit.store";
import type { Listeners } from "../hooks";
import type { Key } from "../key";
import { kindsIn } from "../kinds/registry";
import { destinationId, type Resource } from "../resource";
import {
  contentsCount,
  readContents,
  readFinalized,
  readReferrers,
  referrersCount,
} from "../relations.store";
import { readResource, readWorld } from "../store";
import { destinationOf } from "../webhook";
import { missing } from "../writes/checks";
import { changesOf, effectsOf, expectationsOf, heldWarning, keyOf, type Removal } from "./effects";
import { readDependents, readReleased } from "./waiting.io";
import {
  type Caller,
  causeOf,
  type Decided,
  untilCommitted,
  type WriteDoors,
  type Written,
} from "../writes/write.io";

/** What became of a resource that was to be deleted. */
export type Deletion = { kind: "gone" } | ({ kind: "held" } & Written);

/** A scope with more contents than this is emptied in several transactions before it is deleted itself. */
const CONTENTS_AT_ONCE = 1_500;

/**
 * Deletes a resource together with its contents (of a scope) and all that depends on it, dependents first. What has
 * finalizers is only marked `DELETING`, and keeps what it depends on, unless `force`; it goes with its last finalizer.
 * All changes of one request carry its correlation id.
 */
export async function deleteResource(
  doors: WriteDoors,
  caller: Caller,
  key: Key,
  force: boolean,
): Promise<Deletion> {
  const { organizationId } = caller;
  // Read before anything is deleted: the hooks inside a deleted scope are called for its deletion too.
  const { listeners } = await readWorld(doors.db, organizationId, []);
  await emptyInParts(doors, caller, key, force, listeners);
  return untilCommitted(doors, organizationId, async () => {
    const target = await readResource(doors.db, organizationId, key);
    if (target === undefined) throw missing(key);
    return decideRemoval(doors, causeOf(doors, caller), target, listeners, force);
  });
}

/** Decides the write that takes away the last finalizer of a dying resource: the resource goes with it. */
export function removalOf(
  doors: WriteDoors,
  caller: Caller,
): (resource: Resource, cause: Cause) => Promise<Decided<Written>> {
  return async (resource, cause) => {
    const { listeners } = await readWorld(doors.db, caller.organizationId, []);
    const { plan, result } = await decideRemoval(doors, cause, resource, listeners, false);
    if (result.kind === "gone") return { plan, result: { resource, warnings: [] } };
    // Something else still holds it: only the finalizer goes.
    const updated = { ...resource, version: resource.version + 1 };
    plan.updates = [...plan.updates.filter(({ id }) => id !== resource.id), updated];
    plan.changes.push(changeOf("ResourceUpdated", updated, cause, listeners));
    return { plan, result: { resource: updated, warnings: result.warnings } };
  };
}

/** Decides what the deletion of `target` does, from what is stored now; nothing is written yet. */
async function decideRemoval(
  { db, ring }: WriteDoors,
  cause: Cause,
  target: Resource,
  listeners: Listeners,
  force: boolean,
): Promise<Decided<Deletion>> {
  const isScope = kindsIn(target.kind.kind).length > 0;
  const members = isScope
    ? await readContents(db, target, kindsIn(target.kind.kind), Number.MAX_SAFE_INTEGER)
    : await readDependents(db, target);
  const { removed, held } = planCascade(target, members, force);
  const isGone = removed.includes(target);
  const { released, witnesses } = isGone
    ? await readReleased(db, removed)
    : { released: [], witnesses: [] };
  // Resources name only those of their own scope: when a whole scope goes, nobody is left who named anything in it.
  const named = isScope && held.length === 0 ? [] : [...removed, ...released];
  const namers = await readReferrers(db, named);
  const removal: Removal = { target, removed, held, released, namers };
  const effects = effectsOf(removal, cause);
  const plan: Plan = {
    ...emptyPlan(),
    expects: [...expectationsOf(removal, effects), ...witnesses.map(keyOf)],
    counts: countsOf(isScope ? target : undefined, members, named, namers),
    updates: [...effects.dying, ...effects.unlinked],
    removals: effects.removals,
    changes: changesOf(removal, effects, cause, listeners),
  };
  for (const webhook of effects.unlinked)
    if (webhook.kind.kind === "Webhook")
      plan.statements.push(
        await prepareDestination(db, ring, destinationOf(ring, webhook, undefined), cause.now),
      );
  forgetDestinationOf(db, plan, target);
  if (isGone) return { plan, result: { kind: "gone" } };
  const now = effects.dying.find(({ id }) => id === target.id) ?? target;
  return { plan, result: { kind: "held", resource: now, warnings: held.map(heldWarning) } };
}

/** How many members and namers there must still be when the deletion is written: nobody has come or gone since. */
function countsOf(
  scope: Resource | undefined,
  members: readonly Resource[],
  named: readonly Resource[],
  namers: readonly Resource[],
): Count[] {
  const ofNamers = referrersCount(named);
  return [
    ...(scope === undefined ? [] : [{ ...contentsCount(scope), expected: members.length }]),
    ...(ofNamers === undefined ? [] : [{ ...ofNamers, expected: namers.length }]),
  ];
}

/**
 * A deleted Webhook is not called any more, so its destination goes too. But if the Webhook listens to its own deletion,
 * that is still to be delivered: then the destination goes when the log forgets the change.
 */
function forgetDestinationOf(db: D1Database, plan: Plan, target: Resource): void {
  const id = destinationId(target.id);
  const isGone = plan.removals.some((resource) => resource.id === target.id);
  const isCalled = plan.changes.some(({ targets }) =>
    targets.some((candidate) => candidate.destinationId === id),
  );
  if (target.kind.kind === "Webhook" && isGone && !isCalled)
    plan.statements.push(prepareRemoval(db, [id]));
}

/** Deletes the contents of a very full scope in parts, each with its changes in a transaction; dependents go first. */
async function emptyInParts(
  doors: WriteDoors,
  caller: Caller,
  key: Key,
  force: boolean,
  listeners: Listeners,
): Promise<void> {
  const { organizationId } = caller;
  const held = kindsIn(key.kind.kind);
  if (held.length === 0) return;
  const scope = await readResource(doors.db, organizationId, key);
  if (scope === undefined || (!force && scope.content.finalizers.length > 0)) return;
  if (!force && (await readFinalized(doors.db, scope))) return;
  for (;;) {
    const sample = await readContents(doors.db, scope, held, CONTENTS_AT_ONCE + 1);
    if (sample.length <= CONTENTS_AT_ONCE) return;
    await untilCommitted(doors, organizationId, async () => {
      const cause = causeOf(doors, caller);
      const part = await readContents(doors.db, scope, held, CONTENTS_AT_ONCE);
      const plan: Plan = {
        ...emptyPlan(),
        expects: part.map((resource) => ({ ...keyOf(resource), version: resource.version })),
        changes: part.map((resource) => changeOf("ResourceDeleted", resource, cause, listeners)),
        removals: part,
      };
      return { plan, result: undefined };
    });
  }
}
