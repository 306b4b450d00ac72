import type { Leases } from "./leases";
import type { Queues } from "./lanes.io";

/** Bundles of a lane that are on the queues at a time, and as many are read at once. */
export const USUAL_WINDOW = 50;
/** So far the window of the fast lane grows. */
const WIDEST = 400;

/**
 * How many bundles of a stream are on the queues at a time. Those of the slow lane are fifty at most. The window of the
 * fast lane grows by one with each of its bundles that is delivered while others wait for room, so it doubles in the time
 * that a bundle takes, until what comes goes; and is halved when a bundle was not delivered, or its lease ran out.
 *
 * So it follows how long calls take: a thousand lone events a second to a receiver that takes 100 ms, and 150 ms on the
 * queue and back, are 250 bundles under way. The endpoint's hundred seats are the next bound (1,000 calls/s at 100 ms, 333 at
 * 300 ms), then the object of the stream, which takes about 1,000 requests a second: one for each commit, and one for up to
 * ten bundles that are settled. A source that is hotter than that is to be divided into several.
 */
export class Window {
  /** Bundles of the fast lane wait for room. */
  isShort = false;
  private fast = USUAL_WINDOW;

  /** How many more bundles may go by each lane. */
  room(leases: Leases): Record<keyof Queues, number> {
    return {
      fast: Math.max(0, this.fast - leases.count("fast")),
      slow: Math.max(0, USUAL_WINDOW - leases.count("slow")),
    };
  }

  /** A bundle of the fast lane is settled: all of it was delivered, or not. */
  settled(wentWell: boolean): void {
    if (!wentWell) this.fast = Math.max(USUAL_WINDOW, Math.floor(this.fast / 2));
    else if (this.isShort) this.fast = Math.min(WIDEST, this.fast + 1);
  }
}

/**
 * Which of the bundles that wait in line go now. One of the fast lane that finds no room ends the line; one of the slow lane
 * lets those of the fast lane pass: so a slow destination keeps no other waiting. @returns those that go, those that were
 * passed, how many of the line are through, and whether one of the fast lane found no room.
 */
export function nextInLine<T extends { lane: keyof Queues | undefined }>(
  line: readonly T[],
  room: Record<keyof Queues, number>,
): { go: T[]; passed: T[]; through: number; isShort: boolean } {
  const left = { fast: Math.max(0, room.fast), slow: Math.max(0, room.slow) };
  const go: T[] = [];
  const waiting: { one: T; index: number }[] = [];
  let through = 0;
  let isShort = false;
  for (const [index, one] of line.entries()) {
    if (one.lane === undefined || left[one.lane] > 0) {
      if (one.lane !== undefined) {
        left[one.lane] -= 1;
        go.push(one);
      }
      if (one.lane !== undefined || waiting.length === 0) through = index + 1;
    } else if (one.lane === "fast") {
      isShort = true;
      break;
    } else waiting.push({ one, index });
  }
  const passed = waiting.flatMap(({ one, index }) => (index < through ? one : []));
  return { go, passed, through, isShort };
}
