import { prepareDestination, prepareRemoval } from "../../delivery/destinations.store";
import { planCascade } from "../cascade";
import { type Cause, changeOf } from "../change";
import { emptyPlan, type Plan } from "../commit.store";
import type { Listeners } from "../hooks";
import type { Key } from "../key";
import { kindsIn } from "../kinds/registry";
import { withoutTargets } from "../references";
import { destinationId, type Resource, type Warning } from "../resource";
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

/** A scope's contents beyond this many go in transactions of their own, before the rest. */
const CONTENTS_AT_ONCE = 1_500;

/**
 * Deletes a resource with all it holds and all that depends on it, children first; finalizers hold it
 * unless `force`. All changes carry the request's correlation id.
 */
export async function deleteResource(
  doors: WriteDoors,
  caller: Caller,
  key: Key,
  force: boolean,
): Promise<Deletion> {
  const { organizationId } = caller;
  // Hooks and webhooks are those of the beginning: a deleted scope's own hooks get its cascade.
  const { listeners } = await readWorld(doors.db, organizationId, []);
  await thinOut(doors, caller, key, force, listeners);
  return untilCommitted(doors, organizationId, async () => {
    const target = await readResource(doors.db, organizationId, key);
    if (target === undefined) throw missing(key);
    return decideRemoval(doors, causeOf(doors, caller), target, listeners, force);
  });
}

/** The end of a dying resource whose last finalizer goes with this write: what `changeResource` asks for. */
export function removalOf(
  doors: WriteDoors,
  caller: Caller,
): (resource: Resource, cause: Cause) => Promise<Decided<Written>> {
  return async (resource, cause) => {
    const { listeners } = await readWorld(doors.db, caller.organizationId, []);
    const { plan, result } = await decideRemoval(doors, cause, resource, listeners, false);
    if (result.kind === "gone") return { plan, result: { resource, warnings: [] } };
    // Its contents hold it still: the write itself is all that happens.
    const updated = { ...resource, version: resource.version + 1 };
    plan.updates = [...plan.updates.filter(({ id }) => id !== resource.id), updated];
    plan.changes.push(changeOf("ResourceUpdated", updated, cause, listeners));
    return { plan, result: { resource: updated, warnings: result.warnings } };
  };
}

async function decideRemoval(
  { db, ring }: WriteDoors,
  cause: Cause,
  target: Resource,
  listeners: Listeners,
  force: boolean,
): Promise<Decided<Deletion>> {
  const holds = kindsIn(target.kind.kind).length > 0;
  const members = holds
    ? await readContents(db, target, kindsIn(target.kind.kind), Number.MAX_SAFE_INTEGER)
    : await readDependents(db, target);
  const { removed, held } = planCascade(target, members, force);
  const goes = removed.includes(target);
  const { released, witnesses } = goes
    ? await readReleased(db, removed)
    : { released: [], witnesses: [] };
  const touched = (resource: Resource): Resource => ({
    ...resource,
    version: resource.version + 1,
    modifiedAt: cause.now,
    modifiedBy: cause.userId,
  });
  const removals = [...removed, ...released];
  const gone = new Set(removals.map(({ id }) => id));
  const dying = held
    .filter(({ state }) => state === null)
    .map((resource): Resource => ({ ...touched(resource), state: "DELETING" }));
  // Names lead nowhere out of a scope: when all of it goes, nobody is left who named anything in it.
  const named = holds && held.length === 0 ? [] : removals;
  const namers = await readReferrers(db, named);
  const namersNow = referrersCount(named);
  const referrers = namers.filter(({ id }) => !gone.has(id));
  const emptied = referrers
    .filter(({ id }) => dying.every((resource) => resource.id !== id))
    .map((resource): Resource => ({
      ...touched(resource),
      content: withoutTargets(resource, gone),
    }));
  const plan: Plan = {
    ...emptyPlan(),
    expects: [
      ...[...removals, ...held, ...referrers].map(({ version, ...key }) => ({
        ...keyOf(key),
        version,
      })),
      ...witnesses.map(keyOf),
    ],
    counts: [
      ...(holds ? [{ ...contentsCount(target), expected: members.length }] : []),
      ...(namersNow === undefined ? [] : [{ ...namersNow, expected: namers.length }]),
    ],
    updates: [
      ...dying.map((resource): Resource => ({
        ...resource,
        content: withoutTargets(resource, gone),
      })),
      ...emptied,
    ],
    removals,
  };
  const tell = (type: "ResourceDeleted" | "ResourceUpdated", resource: Resource): void =>
    void plan.changes.push(changeOf(type, resource, cause, listeners));
  for (const resource of removed) if (resource !== target) tell("ResourceDeleted", resource);
  for (const resource of plan.updates) tell("ResourceUpdated", resource);
  if (goes) for (const resource of [target, ...released]) tell("ResourceDeleted", resource);
  for (const webhook of emptied)
    if (webhook.kind.kind === "Webhook")
      plan.statements.push(
        await prepareDestination(db, ring, destinationOf(webhook, undefined), cause.now),
      );
  forgetDestinationOf(db, plan, target, gone);
  if (goes) return { plan, result: { kind: "gone" } };
  const now = dying.find(({ id }) => id === target.id) ?? target;
  return { plan, result: { kind: "held", resource: now, warnings: held.map(heldWarning) } };
}

const keyOf = ({ kind, scope, name, id }: Key & { id: string }): Key & { id: string } => ({
  kind,
  scope,
  name,
  id,
});

/**
 * A deleted Webhook is called no more — unless its own deletion is what it is told: then its destination
 * goes when the log forgets the change.
 */
function forgetDestinationOf(
  db: D1Database,
  plan: Plan,
  target: Resource,
  gone: ReadonlySet<string>,
): void {
  const id = destinationId(target.id);
  const told = plan.changes.some(({ targets }) =>
    targets.some((candidate) => candidate.destinationId === id),
  );
  if (target.kind.kind === "Webhook" && gone.has(target.id) && !told)
    plan.statements.push(prepareRemoval(db, [id]));
}

function heldWarning({ kind, name, content }: Resource): Warning {
  const names = content.finalizers.map((finalizer) => `'${finalizer.name}'`).join(", ");
  return {
    code: "HeldByFinalizers",
    detail:
      names === ""
        ? `${kind.kind} '${name}' waits for what it holds`
        : `${kind.kind} '${name}' is held by its finalizers ${names}`,
  };
}

/** Deletes a very full scope's contents part by part, dependents first; every part with its changes. */
async function thinOut(
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
        expects: part.map(({ kind, scope: own, name, id, version }) => ({
          kind,
          scope: own,
          name,
          id,
          version,
        })),
        changes: part.map((resource) => changeOf("ResourceDeleted", resource, cause, listeners)),
        removals: part,
      };
      return { plan, result: undefined };
    });
  }
}
