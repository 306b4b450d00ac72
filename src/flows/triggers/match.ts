import { Cron } from "croner";
import * as z from "zod";
import type { NewEvent } from "../../stream/event";
import type { TriggerKind } from "../components";
import { stringOf } from "../modifiers/argument";
import type { Trigger } from "../targets";

/** What a trigger is found by when something happens. */
export function triggerKeyOf(kind: TriggerKind, properties: Record<string, unknown>): string {
  const text = (name: string): string => stringOf(properties[name]);
  switch (kind) {
    case "app-event":
      return text("event");
    case "instance":
      return text("instanceId");
    case "resource":
      return `${text("group")}/${text("kind")}`;
    case "schedule":
      return text("cron");
    case "webhook":
      return "";
  }
}

/** The next minute after `minute` (since 1970, UTC) that a schedule names; null when there is none. */
export function nextMinuteOf(properties: Record<string, unknown>, minute: number): number | null {
  const { cron, timezone } = properties;
  if (typeof cron !== "string") return null;
  const options = { mode: "5-part" as const, paused: true };
  const pattern = new Cron(
    cron,
    typeof timezone === "string" ? { ...options, timezone } : { ...options, utcOffset: 0 },
  );
  const next = pattern.nextRun(new Date(minute * 60_000));
  return next === null ? null : Math.floor(next.getTime() / 60_000);
}

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

/** Whether a change starts a flow (reference resource-api.md §9); no flow hears of a Secret. */
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

/** The keys under which triggers of a resource may stand: group and kind may each be `*`. */
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
