import { type Outcome, SLOW_MS } from "../../delivery/attempt";
import type { Notification } from "../event";
import type { Millis } from "../../values/instant";

/**
 * What a stream has seen of its destinations, in memory: which ones answered quickly (they get the fast lane), and
 * which ones have an open circuit (their notifications are parked without being tried).
 */
export class DestinationHealth {
  private readonly healthy = new Set<string>();
  /** Destination → until when its notifications are parked, unless the endpoint calls the stream back before. */
  private readonly parked = new Map<string, Millis>();

  /** Whether its last call succeeded within two seconds. A destination never called is not healthy yet. */
  isHealthy(destinationId: string | null): boolean {
    return destinationId !== null && this.healthy.has(destinationId);
  }

  /** Until when notifications to this destination are parked; 0: they may be tried. */
  parkedUntil(destinationId: string | null): Millis {
    return this.parked.get(destinationId ?? "") ?? 0;
  }

  unpark(destinationId: string): void {
    this.parked.delete(destinationId);
  }

  /** After a restart: judges a destination by one of the latest notifications, which are given oldest first. */
  learnFrom({ destinationId, state, attempts }: Notification): void {
    const attempt = attempts.at(-1);
    if (destinationId === null || attempt === undefined) return;
    if (state.kind === "delivered" && attempt.durationMs < SLOW_MS) this.healthy.add(destinationId);
    else this.healthy.delete(destinationId);
  }

  /** A call to it that is still running takes long: from now on it gets the slow lane. */
  markSlow(destinationId: string): void {
    this.healthy.delete(destinationId);
  }

  /** Judges a destination by what became of a try. */
  observe({ destinationId }: Notification, { attempt, next }: Outcome): void {
    if (destinationId === null) return;
    if (next.kind === "parked") this.parked.set(destinationId, next.at);
    if (attempt === undefined) return;
    if (next.kind === "delivered") this.parked.delete(destinationId);
    if (next.kind === "delivered" && attempt.durationMs < SLOW_MS) this.healthy.add(destinationId);
    else this.healthy.delete(destinationId);
  }
}
