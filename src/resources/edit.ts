import { DEEPEST, isDeeper } from "../values/depth";
import { applyPatch, type Operation } from "./patch";
import { type Resource, view } from "./resource";
import { copyDigits, memberJson } from "../values/digits";

/** What a patch makes of a resource: its main part when that changed, and the subresources that did. */
export type PatchEdit =
  | { ok: true; main: Record<string, unknown> | undefined; sub: Record<string, unknown> }
  | { ok: false; message: string; field: string };

/** The main part's keys; every other key is a subresource. */
const MAIN = new Set([
  "group",
  "apiVersion",
  "kind",
  "name",
  "title",
  "metadata",
  "attributes",
  "tags",
  "finalizers",
  "owner",
  "spec",
]);

/**
 * Applies a patch to the whole resource, or to `{"<sub>": …}` when a subresource is addressed: paths
 * begin with `/<sub>` there too.
 */
export function editOf(
  current: Resource,
  operations: readonly Operation[],
  sub: string | undefined,
): PatchEdit {
  const before = sub === undefined ? view(current, "v1") : subDocument(current, sub);
  const patched = applyPatch(before, operations);
  if (!patched.ok) return patched;
  const { document } = patched;
  if (isDeeper(document))
    return { ok: false, field: "", message: `It is nested deeper than ${DEEPEST} levels then` };
  const names = new Set([...Object.keys(before), ...Object.keys(document)]);
  const changed = [...names].filter(
    (name) => memberJson(before, name) !== memberJson(document, name),
  );
  const subs = changed.filter((name) => (sub === undefined ? !MAIN.has(name) : name === sub));
  const edited = copyDigits(
    document,
    Object.fromEntries(subs.map((name) => [name, document[name] ?? null])),
  );
  if (sub !== undefined)
    return {
      ok: true,
      main: undefined,
      sub: copyDigits(document, { [sub]: document[sub] ?? null }),
    };
  const mainChanged = subs.length === 0 || changed.some((name) => MAIN.has(name));
  return { ok: true, main: mainChanged ? mainOf(document) : undefined, sub: edited };
}

/** Absent members are emptied here, unlike in a PUT; the version is checked by If-Match. */
function mainOf(document: Record<string, unknown>): Record<string, unknown> {
  const main = Object.fromEntries(Object.entries(document).filter(([name]) => MAIN.has(name)));
  return {
    ...main,
    metadata: {},
    finalizers: document["finalizers"] ?? null,
    owner: document["owner"] ?? null,
  };
}

function subDocument({ content }: Resource, sub: string): Record<string, unknown> {
  return Object.hasOwn(content.sub, sub)
    ? copyDigits(content.sub, { [sub]: content.sub[sub] })
    : {};
}
