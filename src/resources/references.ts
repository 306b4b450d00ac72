import { type ScopeName, scopeKey } from "./address";
import type { Kind, ReferenceRule } from "./kinds/kind";
import { kindNamed } from "./kinds/registry";
import { type Content, type Reference, type Resource, type Warning } from "./resource";
import { readKeys } from "../values/path";
import { isObject } from "../values/record";

/** A name in a spec that stands for another resource of the same scope. */
export type NamedTarget = { rule: ReferenceRule; name: string };

/** The resources a spec names, those left empty aside. */
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

export function missingWarning({ rule, name }: NamedTarget, scope: ScopeName | null): Warning {
  const where = scope === null ? "" : ` in the scope '${scopeKey(scope)}'`;
  return { code: "UnresolvedReference", detail: `${rule.kind} '${name}' does not exist${where}` };
}

/** What is left of a resource when the targets with these ids go: their names emptied, the entries moved. */
export function withoutTargets(resource: Resource, gone: ReadonlySet<string>): Content {
  const { content, kind } = resource;
  const lost = content.references.filter(({ id }) => gone.has(id));
  const names = new Set(lost.map((reference) => `${reference.kind} ${reference.name}`));
  let { spec } = content;
  for (const target of namedTargets(kind, spec))
    if (names.has(targetKey(target))) spec = emptied(spec, target.rule.path);
  return {
    ...content,
    spec,
    references: content.references.filter(({ id }) => !gone.has(id)),
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
