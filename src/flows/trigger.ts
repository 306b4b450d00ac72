import { Cron } from "croner";
import type { NewEvent } from "../events/event";
import type { TriggerKind } from "./components";
import { stringOf } from "./modifiers";
import type { Trigger } from "./run";

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

function listed(list: unknown, value: string): boolean {
  if (!Array.isArray(list) || list.length === 0) return true;
  return list.some(
    (item) => typeof item === "string" && item.toUpperCase() === value.toUpperCase(),
  );
}
