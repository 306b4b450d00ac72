import { agents } from "./agents";
import { catalog } from "./catalog";
import type { Group, Kind, ScopeKind } from "./kind";
import { management } from "./management";
import { provisioning } from "./provisioning";

/** Every kind there is: adding one is adding an entry to its group's file. */
export const kinds: readonly Kind[] = [...management, ...agents, ...provisioning, ...catalog];
export const groups: readonly Group[] = ["management", "catalog"];
/** Both are served for every kind, over one store; newest first. */
export const versions = ["v1", "v1alpha1"] as const;
export type Version = (typeof versions)[number];

const byKind = new Map(kinds.map((kind) => [kind.kind, kind]));

export const findKind = (kind: string): Kind | undefined => byKind.get(kind);

/** @throws when a kind the registry itself names is missing: a bug. */
export function kindNamed(kind: string): Kind {
  const found = byKind.get(kind);
  if (found === undefined) throw new Error(`No kind '${kind}' in the registry`);
  return found;
}

export const findPlural = (group: string, plural: string): Kind | undefined =>
  kinds.find((kind) => kind.group === group && kind.plural === plural);

/** Kinds that a resource of `scope` may hold. */
export const kindsIn = (scope: string): readonly Kind[] =>
  kinds.filter(({ scopes }) => scopes.some((held) => held === scope));

/** Kinds that hold others. */
export const scopeKinds: readonly ScopeKind[] = [
  ...new Set(kinds.flatMap(({ scopes }) => [...scopes])),
];

/** Kinds whose specs name a resource of `target`. */
export const dependentsOf = (target: string): readonly Kind[] =>
  kinds.filter(({ references }) => references.some(({ kind }) => kind === target));

/** How many hard references lie between a kind and the last one it depends on: dependents go first. */
export function depthOf(kind: Kind): number {
  const targets = kind.references.filter(({ type }) => type === "hard");
  return Math.max(0, ...targets.map((rule) => 1 + depthOf(kindNamed(rule.kind))));
}
