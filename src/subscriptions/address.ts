import type { Commit, Happened, NewEvent, Target } from "../stream/event";
import type { Hearing, Subscription } from "./subscription";

/**
 * The events, each addressed to those who hear of it, and their targets. Example: two contacts change, the instance's
 * callback hears of both, a flow of the second:
 *
 *     targets  [callback, step of the flow]      events  [{to: [0]}, {to: [0, 1]}]
 */
export async function addressed(
  events: readonly Happened[],
  subscriptions: readonly Subscription[],
): Promise<Pick<Commit, "events" | "targets">> {
  const targets: Target[] = [];
  const indexes = new Map<Target, number>();
  const indexOf = (target: Target): number => {
    const index = indexes.get(target) ?? targets.push(target) - 1;
    indexes.set(target, index);
    return index;
  };
  const withAddressees: NewEvent[] = [];
  for (const event of events) {
    const heard: Heard[] = [];
    for (const subscription of subscriptions) {
      // Most hear nothing of it, and say so at once.
      const hearing = subscription.hears(event);
      if (hearing !== "no") heard.push({ subscription, hearing });
    }
    const hearings = await Promise.all(heard.map(async ({ hearing }) => hearing));
    const listening = heard
      .filter((_, index) => hearings[index] === "yes")
      .map(({ subscription }) => subscription);
    const to = listening.flatMap((one) => one.targets(event).map(indexOf));
    const filtered = isTurnedAway(hearings, listening) ? { filtered: true as const } : {};
    withAddressees.push({ ...event, to, ...filtered });
  }
  return { events: withAddressees, targets };
}

type Heard = { subscription: Subscription; hearing: ReturnType<Subscription["hears"]> };

/** A flow is no destination: that it runs doesn't make up for a callback that a filter kept. */
const isTurnedAway = (heard: readonly Hearing[], listening: readonly Subscription[]): boolean =>
  heard.includes("filtered") && listening.every(({ kind }) => kind === "flow");
