import { invalid } from "../../http/refusal";
import { type Cause, changeOf } from "../change";
import { emptyPlan, type Plan } from "../commit.store";
import { addDestinations } from "../destinations.io";
import { type Draft, maskFaults, urlFaults } from "../document";
import { type Key, keyText, type World } from "../key";
import { dataOf, headersOf, type Resource } from "../resource";
import { missing, refuse, refuseNewFinalizers, refuseStale, refuseTooLarge } from "./checks";
import { hookWarnings, resolve } from "./resolve";
import {
  type Caller,
  causeOf,
  type Decided,
  untilCommitted,
  worldOf,
  type WriteDoors,
  type Written,
} from "./write.io";
import { type Edit, edited, isSame } from "./content";

/** The change that a request asks for. */
export type Request = {
  key: Key;
  /** The version that the caller wants to change; undefined: whichever there is. */
  expected: string | undefined;
  /** When nothing differs, neither the resource nor a change is written. */
  onlyIfChanged: boolean;
  /** The spec after `edit`, if that is known beforehand: what it names is then read with the resource. */
  spec: Record<string, unknown> | undefined;
  edit: (current: Resource) => Edit;
  /** Decides instead when the change removes the last finalizer of a resource that waits for its deletion. */
  removed: (resource: Resource, cause: Cause) => Promise<Decided<Written>>;
};

/** Changes a resource: reads it, edits it, and writes it if nobody else has changed it meanwhile; else once more. */
export function changeResource(
  doors: WriteDoors,
  caller: Caller,
  { key, expected, onlyIfChanged, spec, edit, removed }: Request,
): Promise<Written> {
  const { organizationId } = caller;
  const { ring, db } = doors;
  return untilCommitted(doors, organizationId, async () => {
    const cause = causeOf(doors, caller);
    const first = await worldOf(db, organizationId, key, spec ?? {});
    const current = first.found.get(keyText(key));
    if (current === undefined) throw missing(key);
    const change = edit(current);
    const { draft } = change;
    refuseStale(current, draft?.resourceVersion ?? expected);
    if (draft !== undefined) refuseDraft(key, current, draft);
    const world =
      draft === undefined || draft.spec === spec
        ? first
        : await worldOf(db, organizationId, key, draft.spec);
    const { references, warnings, expects } =
      draft === undefined
        ? { references: current.content.references, warnings: [], expects: [] }
        : resolve(current.kind, current.scope, draft.spec, world);
    const resource = edited(ring, current, change, references, cause);
    refuseNewFinalizers(current, resource);
    refuseTooLarge(resource);
    const allWarnings = [...change.warnings, ...warnings, ...hookWarnings(resource, world)];
    if (onlyIfChanged && isSame(ring, current, resource, draft))
      return {
        plan: emptyPlan(),
        result: { resource: current, warnings: allWarnings, unchanged: true },
      };
    if (resource.state === "DELETING" && resource.content.finalizers.length === 0)
      return removed({ ...resource, version: current.version }, cause);
    const plan: Plan = {
      ...emptyPlan(),
      expects: [{ ...key, id: current.id, version: current.version }, ...expects],
      changes: changesOf(resource, change, cause, world),
      updates: [resource],
    };
    if (draft !== undefined) await addDestinations(doors, plan, resource, world, cause.now);
    return { plan, result: { resource, warnings: allWarnings } };
  });
}

function refuseDraft({ name }: Key, { kind, content }: Resource, draft: Draft): void {
  if (draft.name !== undefined && draft.name !== name)
    throw invalid(`The name can't be changed from '${name}' to '${draft.name}'`, "name");
  if (kind.secret !== undefined)
    refuse(maskFaults("data", dataOf(draft.spec), dataOf(content.spec)));
  if (kind.kind === "Webhook")
    refuse([
      ...urlFaults(draft.spec, content.spec),
      ...maskFaults("headers", headersOf(draft.spec), headersOf(content.spec)),
    ]);
}

function changesOf(
  resource: Resource,
  { draft, sub }: Edit,
  cause: Cause,
  { listeners }: World,
): Plan["changes"] {
  return [
    ...(draft === undefined ? [] : [changeOf("ResourceUpdated", resource, cause, listeners)]),
    ...Object.keys(sub).map((name) =>
      changeOf("SubResourceUpdated", resource, cause, listeners, name),
    ),
  ];
}
