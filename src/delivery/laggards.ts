import { SLOW_MS } from "./attempt";
import type { Millis } from "../values/instant";

/**
 * Destinations that have had a call under way in this isolate for longer than a healthy one takes. A destination that hangs
 * is noticed so after two seconds, instead of after the first timeout.
 */
export class Laggards {
  private readonly startedAt = new Map<string, Millis[]>();

  begin(destinationId: string, now: Millis): void {
    const started = this.startedAt.get(destinationId);
    if (started === undefined) this.startedAt.set(destinationId, [now]);
    else started.push(now);
  }

  /** The call that began at `startedAt` is over. */
  end(destinationId: string, startedAt: Millis): void {
    const started = this.startedAt.get(destinationId) ?? [];
    const left = started.toSpliced(started.indexOf(startedAt), 1);
    if (left.length === 0) this.startedAt.delete(destinationId);
    else this.startedAt.set(destinationId, left);
  }

  has(destinationId: string, now: Millis): boolean {
    const [oldest] = this.startedAt.get(destinationId) ?? [];
    return oldest !== undefined && oldest <= now - SLOW_MS;
  }
}
