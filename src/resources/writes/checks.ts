import { invalid, notFound, Refusal } from "../../http/refusal";
import { type ScopeName, scopeKey } from "../address";
import { inventedName } from "../document";
import { slugOf } from "../slug";
import type { Key } from "../key";
import type { Resource } from "../resource";
import type { Fault } from "../webhook";
import { utf8Length } from "../../values/bytes";

/** The reasons for which a write is refused, each as a thrown `Refusal`. */

const MOST_BYTES = 1_000_000;

export function refuse(faults: readonly Fault[]): void {
  const [first] = faults;
  if (first !== undefined)
    throw new Refusal({
      kind: "invalid",
      message: first.message,
      field: first.field,
      violations: faults,
    });
}

export const missing = ({ kind, name }: Key): Refusal =>
  notFound(`Resource ${name} not found in group ${kind.group}`);

export const inScope = (scope: ScopeName | null): string =>
  scope === null ? "" : ` in the scope '${scopeKey(scope)}'`;

export function refuseStale(current: Resource, expected: string | undefined): void {
  if (expected !== undefined && expected !== String(current.version))
    throw new Refusal({
      kind: "precondition",
      message: `The resource is at version ${current.version}, not '${expected}'`,
      field: "metadata.resourceVersion",
    });
}

export function refuseNewFinalizers(current: Resource, { content }: Resource): void {
  if (current.state !== "DELETING") return;
  const before = new Set(current.content.finalizers.map(({ name }) => name));
  const added = content.finalizers.find(({ name }) => !before.has(name));
  if (added !== undefined)
    throw invalid(
      `Finalizer '${added.name}' can't be added to a resource that is being deleted`,
      "finalizers",
    );
}

export function refuseTooLarge(resource: Resource): void {
  const bytes = utf8Length(JSON.stringify(resource.content));
  if (bytes > MOST_BYTES)
    throw new Refusal({
      kind: "too-large",
      message: `A resource holds at most ${MOST_BYTES} bytes, this one ${bytes}`,
    });
}

/** A name for a document without one, when `taken` others were; `chance` is in [0, 1). */
export function generatedName(title: string | undefined, taken: number, chance: number): string {
  const slug = slugOf(title);
  if (slug !== undefined) return taken === 0 ? slug : `${slug}-${taken + 1}`;
  const suffix = taken === 0 ? "" : `-${Math.floor(chance * 10 ** Math.min(9, taken + 1))}`;
  return `${inventedName(chance)}${suffix}`;
}
