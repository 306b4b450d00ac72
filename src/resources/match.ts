import type * as z from "zod";
import type { ScopeName } from "./address";
import type { trigger } from "./kinds/management";

/** What a hook or a watch topic waits for (reference resource-api.md §8). */
export type Trigger = z.infer<typeof trigger>;

export const changeTypes = [
  "ResourceCreated",
  "ResourceUpdated",
  "SubResourceUpdated",
  "ResourceDeleted",
] as const;
export type ChangeType = (typeof changeTypes)[number];

/** As much of a change as a trigger looks at. */
export type Changed = {
  type: ChangeType;
  group: string;
  kind: string;
  name: string;
  scope: ScopeName | null;
};

/** Reference resource-api.md §9, rule 1: which word of a trigger's `type` stands for a change. */
export const WORD: Record<ChangeType, Trigger["type"][number]> = {
  ResourceCreated: "created",
  ResourceUpdated: "updated",
  SubResourceUpdated: "updated",
  ResourceDeleted: "deleted",
};

/** Whether a trigger waits for a change: all rules of reference resource-api.md §9 hold. */
export function matches(trigger: Trigger, change: Changed): boolean {
  return (
    trigger.type.includes(WORD[change.type]) &&
    fits(trigger.group, change.group) &&
    fits(trigger.kind, change.kind) &&
    fits(trigger.name, change.name) &&
    fitsScope(trigger.scope, change.scope)
  );
}

/** A trigger with a scope, even `*` and `*`, asks for a resource that has one. */
function fitsScope(wanted: Trigger["scope"], scope: ScopeName | null): boolean {
  if (wanted === undefined) return true;
  return scope !== null && fits(wanted.kind, scope.kind) && fits(wanted.name, scope.name);
}

const fits = (wanted: string, actual: string): boolean => wanted === "*" || wanted === actual;
