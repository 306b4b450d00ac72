import type { Kind } from "./kinds/kind";
import { findPlural, kindsIn, scopeKinds, versions, type Version } from "./kinds/registry";

/** The scope of a resource: its kind and name. All scopes are of the group management, and unscoped. */
export type ScopeName = { kind: string; name: string };

/** What a path below `/apis` names. `scope: null`: unscoped; for a collection, `"all"` scopes. */
export type Address = { version: Version; kind: Kind } & (
  | { at: "collection"; scope: ScopeName | "all" }
  | { at: "item"; scope: ScopeName | null; name: string; sub: string | undefined }
);

/**
 * What `/apis/<group>/<version>/…` names (reference resource-api.md §1); undefined: an unknown path.
 * `segments` are decoded, without `apis`.
 */
export function parseAddress(segments: readonly string[]): Address | undefined {
  const [group = "", versionName, plural = "", ...rest] = segments;
  const version = versions.find((served) => served === versionName);
  const first = findPlural(group, plural);
  if (version === undefined || first === undefined || segments.some((part) => part === ""))
    return undefined;
  const [name, inner, innerName, sub, ...more] = rest;
  if (more.length > 0) return undefined;
  if (name === undefined) return { version, kind: first, at: "collection", scope: "all" };
  const held =
    inner === undefined ? undefined : kindsIn(first.kind).find((kind) => kind.plural === inner);
  if (held !== undefined) {
    const scope = { kind: first.kind, name };
    return innerName === undefined
      ? { version, kind: held, at: "collection", scope }
      : { version, kind: held, at: "item", scope, name: innerName, sub };
  }
  if (!first.unscoped || innerName !== undefined) return undefined;
  return { version, kind: first, at: "item", scope: null, name, sub: inner };
}

/** `/management/v1/environments/axway/apiservices`: without `/apis`. */
export function collectionLink(kind: Kind, version: Version, scope: ScopeName | null): string {
  const root = `/${kind.group}/${version}`;
  const holder = scope === null ? undefined : scopePlural(scope.kind);
  return scope === null || holder === undefined
    ? `${root}/${kind.plural}`
    : `${root}/${holder}/${scope.name}/${kind.plural}`;
}

export function itemLink(
  kind: Kind,
  version: Version,
  scope: ScopeName | null,
  name: string,
): string {
  return `${collectionLink(kind, version, scope)}/${name}`;
}

function scopePlural(kind: string): string | undefined {
  return scopeKinds.some((scope) => scope === kind) ? `${kind.toLowerCase()}s` : undefined;
}

/** How a scope is written in a row: `Environment/axway`, empty when there is none. */
export const scopeKey = (scope: ScopeName | null): string =>
  scope === null ? "" : `${scope.kind}/${scope.name}`;

export function parseScopeKey(text: string): ScopeName | null {
  const slash = text.indexOf("/");
  return slash === -1 ? null : { kind: text.slice(0, slash), name: text.slice(slash + 1) };
}
