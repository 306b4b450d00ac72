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
  const hearings = await Promise.all(
    events.map((event) => Promise.all(subscriptions.map(async ({ hears }) => hears(event)))),
  );
  const withAddressees = events.map((event, at): NewEvent => {
    const heard = hearings[at] ?? [];
    const listening = subscriptions.filter((_, index) => heard[index] === "yes");
    const to = listening.flatMap((one) => one.targets(event).map(indexOf));
    return { ...event, to, ...(isTurnedAway(heard, listening) ? { filtered: true } : {}) };
  });
  return { events: withAddressees, targets };
}

/** A flow is no destination: that it runs doesn't make up for a callback that a filter kept. */
const isTurnedAway = (heard: readonly Hearing[], listening: readonly Subscription[]): boolean =>
  heard.includes("filtered") && listening.every(({ kind }) => kind === "flow");
