/**
 * New ids for the components of a copied flow, everywhere they are written (reference app-events-api.md §7). With
 * `{T: "t2"}` the key `T` becomes `t2`, a `source` that names `T` names `t2`, and `{{{$.T.out.data}}}` becomes
 * `{{{$.t2.out.data}}}`.
 */

import { isObject } from "../../values/record";
import { replacePlaceholders } from "../placeholder";

export type Json = Record<string, unknown>;

/** Old id → new id: the one that `mapped` has for it already, else a fresh one. */
export function newIds(
  flow: Json,
  uuid: () => string,
  mapped: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return Object.fromEntries(
    Object.keys(flow).map((id) => [
      id,
      (Object.hasOwn(mapped, id) ? mapped[id] : undefined) ?? uuid(),
    ]),
  );
}

/** A descriptor with its ids replaced: as keys, in `source`, in `transform` and in the paths of variables. */
export function withIds(flow: Json, ids: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(flow).map(([id, component]) => [
      renamed(id, ids),
      componentWithIds(component, ids),
    ]),
  );
}

function componentWithIds(component: unknown, ids: Readonly<Record<string, string>>): unknown {
  if (!isObject(component)) return component;
  const { source, config } = component;
  return {
    ...component,
    ...(isObject(source) ? { source: mapValues(source, (one) => withKeys(one, ids)) } : {}),
    ...(isObject(config) ? { config: configWithIds(config, ids) } : {}),
  };
}

function configWithIds(config: Json, ids: Readonly<Record<string, string>>): Json {
  const { transform } = config;
  const inPaths = withPaths(config, ids, false);
  const rewritten = isObject(inPaths) ? inPaths : config;
  return isObject(transform)
    ? {
        ...rewritten,
        transform: mapValues(transform, (senders) => withPaths(withKeys(senders, ids), ids, false)),
      }
    : rewritten;
}

/** A wizard may name components anywhere: as a key, as a value, in a path. */
export function wizardWithIds(wizard: unknown, ids: Readonly<Record<string, string>>): unknown {
  if (typeof wizard === "string")
    return Object.hasOwn(ids, wizard) ? ids[wizard] : textWithPaths(wizard, ids);
  if (Array.isArray(wizard)) return wizard.map((item) => wizardWithIds(item, ids));
  if (!isObject(wizard)) return wizard;
  return Object.fromEntries(
    Object.entries(wizard).map(([key, value]) => [
      renamed(key, ids),
      key === "variable" && typeof value === "string"
        ? pathWithIds(value, ids)
        : wizardWithIds(value, ids),
    ]),
  );
}

function withPaths(
  value: unknown,
  ids: Readonly<Record<string, string>>,
  isVariable: boolean,
): unknown {
  if (typeof value === "string")
    return isVariable ? pathWithIds(value, ids) : textWithPaths(value, ids);
  if (Array.isArray(value)) return value.map((item) => withPaths(item, ids, false));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withPaths(member, ids, key === "variable")]),
  );
}

function textWithPaths(text: string, ids: Readonly<Record<string, string>>): string {
  return replacePlaceholders(text, (name, placeholder) =>
    name.startsWith("$") ? `{{{${pathWithIds(name, ids)}}}}` : placeholder,
  );
}

/** `$.T.out.data` → `$.<new>.out.data`. */
function pathWithIds(path: string, ids: Readonly<Record<string, string>>): string {
  const [whole = "", id] = /^\$\.([^.[\]]+)/.exec(path) ?? [];
  return id === undefined ? path : `$.${renamed(id, ids)}${path.slice(whole.length)}`;
}

function withKeys(value: unknown, ids: Readonly<Record<string, string>>): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [renamed(key, ids), member]),
  );
}

function renamed(id: string, ids: Readonly<Record<string, string>>): string {
  return (Object.hasOwn(ids, id) ? ids[id] : undefined) ?? id;
}

function mapValues(record: Json, map: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
