import * as z from "zod";
import type { NewEvent } from "../../stream/event";
import type { Trigger } from "./trigger";

/** Whether a connector event starts a flow: an absent list means any. */
export function matchesEvent(
  { properties }: Pick<Trigger, "properties">,
  event: Pick<NewEvent, "objectType" | "eventType">,
): boolean {
  return (
    listed(properties["objectTypes"], event.objectType) &&
    listed(properties["eventTypes"], event.eventType)
  );
}

/** A change of an API resource, as much as a trigger looks at. */
export type ResourceChange = {
  type: "created" | "updated" | "deleted";
  group: string;
  kind: string;
  name: string;
  scope: { kind: string; name: string } | null;
};

const named = z.string().min(1).max(256);

/** A resource trigger's properties: the shape of a ResourceHook's trigger (reference resource-api.md §8). */
export const resourceTrigger = z.object({
  group: named,
  kind: named,
  name: named,
  type: z.array(z.enum(["created", "updated", "deleted"])).min(1),
  scope: z.object({ kind: named, name: named }).optional(),
});

/** Whether a change starts a flow (reference resource-api.md §9); a Secret starts none. */
export function matchesChange(
  { properties }: Pick<Trigger, "properties">,
  change: ResourceChange,
): boolean {
  const parsed = resourceTrigger.safeParse(properties);
  if (!parsed.success || change.kind === "Secret") return false;
  const { type, group, kind, name, scope } = parsed.data;
  const inScope =
    scope === undefined ||
    (change.scope !== null &&
      fits(scope.kind, change.scope.kind) &&
      fits(scope.name, change.scope.name));
  return (
    type.includes(change.type) &&
    fits(group, change.group) &&
    fits(kind, change.kind) &&
    fits(name, change.name) &&
    inScope
  );
}

/** Every key that a trigger for this resource can have: group and kind may each be `*`. */
export function resourceKeys({ group, kind }: Pick<ResourceChange, "group" | "kind">): string[] {
  return [`${group}/${kind}`, `*/${kind}`, `${group}/*`, "*/*"];
}

const fits = (wanted: string, actual: string): boolean => wanted === "*" || wanted === actual;

function listed(list: unknown, value: string): boolean {
  if (!Array.isArray(list) || list.length === 0) return true;
  return list.some(
    (item) => typeof item === "string" && item.toUpperCase() === value.toUpperCase(),
  );
}
