import { runTargets } from "../flows/targets";
import type { Trigger } from "../flows/triggers/trigger";
import type { Happened } from "../stream/event";
import type { Subscription } from "./subscription";

/**
 * A running flow hears of the events that its trigger listens to. Each starts a run of its own: one notification for each
 * step right below the trigger. `input` says what the event's data is.
 */
export const flowSubscription = (
  trigger: Trigger,
  input: "content" | "record",
  listens: (event: Happened) => boolean,
): Subscription => ({
  kind: "flow",
  hears: (event) => (listens(event) ? "yes" : "no"),
  targets: ({ id }) => runTargets(trigger, id, input),
});
