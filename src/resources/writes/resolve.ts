import { conflict } from "../../http/refusal";
import { type ScopeName, scopeKey } from "../address";
import { lookUp } from "../hooks";
import { type Key, keyText, type World } from "../key";
import type { Kind } from "../kinds/kind";
import { hookSpec } from "../kinds/management";
import { kindNamed } from "../kinds/registry";
import { missingWarning, namedTargets, resolveReferences, targetKey } from "../references";
import type { Content, Resource, Warning } from "../resource";
import { inScope, missing, refuse } from "./checks";

/** The scope in which a resource is made. @throws Refusal when it doesn't exist or waits for its deletion. */
export function holderOf({ found }: World, scope: ScopeName): Resource {
  const key: Key = { kind: kindNamed(scope.kind), scope: null, name: scope.name };
  const holder = found.get(keyText(key));
  if (holder === undefined) throw missing(key);
  if (holder.state === "DELETING")
    throw conflict(`${scope.kind} '${scope.name}' is being deleted`, "metadata.scope.name");
  return holder;
}

/** The references of a spec; a hard target that is missing refuses the write, a soft one warns. */
export function resolve(
  kind: Kind,
  scope: ScopeName | null,
  spec: Record<string, unknown>,
  { found }: World,
): {
  references: Content["references"];
  warnings: Warning[];
  expects: (Key & { id: string })[];
} {
  const targets = namedTargets(kind, spec);
  const at = targets.map((target) => ({
    target,
    key: { kind: kindNamed(target.rule.kind), scope, name: target.name },
  }));
  const ids = new Map(
    at.flatMap(({ target, key }): [string, string][] => {
      const resource = found.get(keyText(key));
      return resource === undefined ? [] : [[targetKey(target), resource.id]];
    }),
  );
  const { references, missing: absent } = resolveReferences(targets, scope, ids);
  refuse(
    absent
      .filter(({ rule }) => rule.type === "hard")
      .map((target) => ({
        field: `spec.${target.rule.path.join(".")}`,
        message: missingWarning(target, scope).detail,
      })),
  );
  return {
    references,
    warnings: absent.map((target) => missingWarning(target, scope)),
    expects: at.flatMap(({ target, key }) => {
      const id = ids.get(targetKey(target));
      return target.rule.type === "hard" && id !== undefined ? [{ ...key, id }] : [];
    }),
  };
}

/**
 * Warnings about names in a hook's `webhooks` that no Webhook has, or, if the hook has a scope, none where it looks: in
 * that, in its triggers', and outside of all. The only one of its name elsewhere is called all the same.
 */
export function hookWarnings({ kind, scope, content }: Resource, { listeners }: World): Warning[] {
  if (kind.kind !== "ResourceHook") return [];
  const { triggers, webhooks } = hookSpec.parse(content.spec);
  const scopes = [undefined, ...triggers.map((trigger) => trigger.scope)];
  const looked = new Set([scope, null, ...scopes.slice(1)].map((each) => scopeKey(each ?? null)));
  return webhooks.flatMap((name): Warning[] => {
    const found = scopes
      .map((trigger) => lookUp(name, scope, trigger, listeners.webhooks))
      .find((webhook) => webhook !== undefined);
    const isNear = found !== undefined && (scope === null || looked.has(scopeKey(found.scope)));
    if (isNear) return [];
    const elsewhere =
      found === undefined
        ? ""
        : ` where its hook looks; the one${inScope(found.scope)} is called instead`;
    return [
      { code: "UnresolvedReference", detail: `Webhook '${name}' does not exist${elsewhere}` },
    ];
  });
}
