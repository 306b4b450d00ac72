import { type ScopeName, scopeKey } from "./address";
import type { Key } from "./key";
import type { Kind, ReferenceRule } from "./kinds/kind";
import { kindNamed } from "./kinds/registry";
import { type Content, type Reference, type Resource, type Warning } from "./resource";
import { readKeys } from "../values/path";
import { isObject } from "../values/record";

/** A name in a spec that stands for another resource of the same scope. */
export type NamedTarget = { rule: ReferenceRule; name: string };

/** The resources that a spec names. An empty name names none. */
export function namedTargets(kind: Kind, spec: Record<string, unknown>): NamedTarget[] {
  return kind.references.flatMap((rule) => {
    const name = readKeys(spec, rule.path);
    return typeof name === "string" && name !== "" ? [{ rule, name }] : [];
  });
}

/** The references of a spec, given the ids of those targets that exist (by `<Kind> <name>`). */
export function resolveReferences(
  targets: readonly NamedTarget[],
  scope: ScopeName | null,
  ids: ReadonlyMap<string, string>,
): { references: Reference[]; missing: NamedTarget[] } {
  const references: Reference[] = [];
  const missing: NamedTarget[] = [];
  for (const target of targets) {
    const id = ids.get(targetKey(target));
    if (id === undefined) missing.push(target);
    else
      references.push({
        id,
        group: kindNamed(target.rule.kind).group,
        kind: target.rule.kind,
        name: target.name,
        ...(scope === null ? {} : { scopeKind: scope.kind, scopeName: scope.name }),
        type: target.rule.type,
      });
  }
  return { references, missing };
}

export const targetKey = ({ rule, name }: NamedTarget): string => `${rule.kind} ${name}`;

export const missingWarning = ({ rule, name }: NamedTarget, scope: ScopeName | null): Warning => ({
  code: "UnresolvedReference",
  detail: missingText({ kind: kindNamed(rule.kind), scope, name }),
});

export function missingText({ kind, scope, name }: Key): string {
  const where = scope === null ? "" : ` in the scope '${scopeKey(scope)}'`;
  return `${kind.kind} '${name}' does not exist${where}`;
}

/**
 * A resource's content when the targets with these ids are deleted: their names empty, their references among the
 * deleted ones.
 */
export function withoutTargets(resource: Resource, deleted: ReadonlySet<string>): Content {
  const { content, kind } = resource;
  const lost = content.references.filter(({ id }) => deleted.has(id));
  const names = new Set(lost.map((reference) => `${reference.kind} ${reference.name}`));
  let { spec } = content;
  for (const target of namedTargets(kind, spec))
    if (names.has(targetKey(target))) spec = emptied(spec, target.rule.path);
  return {
    ...content,
    spec,
    references: content.references.filter(({ id }) => !deleted.has(id)),
    deletedReferences: [...content.deletedReferences, ...lost],
  };
}

function emptied(
  object: Record<string, unknown>,
  [key = "", ...rest]: readonly string[],
): Record<string, unknown> {
  const inner = object[key];
  return { ...object, [key]: rest.length > 0 && isObject(inner) ? emptied(inner, rest) : "" };
}
