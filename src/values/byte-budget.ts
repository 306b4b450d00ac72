import type { Millis } from "./instant";

/** Somebody who was cut off, and will never give back what they hold, holds it for this long. */
const HELD_MS = 60_000;

/**
 * How many bytes of large bodies an isolate holds at a time: its memory is 128 MB, and a page of 10 MB is several times as
 * much once it is read. One that alone is more than that is let in when nobody else is.
 */
export class ByteBudget {
  private readonly most: number;
  private readonly held = new Map<symbol, { bytes: number; until: Millis }>();

  constructor(most: number) {
    this.most = most;
  }

  /** @returns the name of what is held from now on; undefined when there is no room. */
  take(bytes: number, now: Millis): symbol | undefined {
    for (const [name, { until }] of this.held) if (until <= now) this.held.delete(name);
    const sum = [...this.held.values()].reduce((total, one) => total + one.bytes, 0);
    if (this.held.size > 0 && sum + bytes > this.most) return undefined;
    const name = Symbol("held");
    this.held.set(name, { bytes, until: now + HELD_MS });
    return name;
  }

  /** A body turned out to be smaller than was feared. */
  shrink(name: symbol, bytes: number): void {
    const entry = this.held.get(name);
    if (entry !== undefined) entry.bytes = Math.min(entry.bytes, bytes);
  }

  release(name: symbol): void {
    this.held.delete(name);
  }
}
