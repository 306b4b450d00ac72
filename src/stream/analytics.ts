import type { Notification } from "./event";
import type { Millis } from "../values/instant";

export type Tally = { at: number; events: number; delivered: number; failed: number };

const INTERVALS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Milliseconds of an interval's name; undefined when there is none of that name. */
export function intervalMs(name: string): number | undefined {
  return Object.hasOwn(INTERVALS, name) ? INTERVALS[name] : undefined;
}

/** Starts of all buckets from `from` to `to`, both included: an hour by the minute has 61. */
export function bucketsOf(from: number, to: number, intervalLength: number): number[] {
  const first = Math.floor(from / intervalLength) * intervalLength;
  const count = Math.floor(to / intervalLength) - first / intervalLength + 1;
  return Array.from({ length: count }, (_, index) => first + index * intervalLength);
}

/** Counts events by when they came, and their outcomes by when the notification was made; empty buckets are absent. */
export function tallyOf(
  events: Iterable<{ at: Millis; count: number }>,
  notifications: Iterable<Pick<Notification, "createdAt" | "state" | "events">>,
  intervalLength: number,
): Tally[] {
  const tallies = new Map<number, Tally>();
  const bucket = (instant: number): Tally => {
    const at = Math.floor(instant / intervalLength) * intervalLength;
    const tally = tallies.get(at) ?? { at, events: 0, delivered: 0, failed: 0 };
    tallies.set(at, tally);
    return tally;
  };
  for (const { at, count } of events) bucket(at).events += count;
  for (const { createdAt, state, events: held } of notifications) {
    if (state.kind === "delivered") bucket(createdAt).delivered += held.length;
    if (state.kind === "dead") bucket(createdAt).failed += held.length;
  }
  return [...tallies.values()].toSorted((left, right) => left.at - right.at);
}
