import type { Millis } from "../../values/instant";
import type { TriggerKind } from "../components";
import { stringOf } from "../modifiers/argument";

/** A trigger of a running flow: what starts it, and the steps right below. */
export type Trigger = {
  flowId: string;
  componentId: string;
  userId: number;
  organizationId: number;
  key: string;
  steps: { componentId: string; port: string }[];
  properties: Record<string, unknown>;
  /** When its flow was started. A run carries it, which tells it from runs of an earlier or later start. */
  createdAt: Millis;
};

/** What a trigger is looked up by when something happens: an event's name, an instance's id, a kind of resource. */
export function triggerKey(kind: TriggerKind, properties: Record<string, unknown>): string {
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
