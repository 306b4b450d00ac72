import { type Outcome, SLOW_MS } from "../../delivery/attempt";
import type { Notification } from "../event";
import type { Millis } from "../../values/instant";

/** What a stream has seen of its destinations. */
export class DestinationHealth {
  private readonly healthy = new Set<string>();
  /** Destinations whose circuit is open, and when their notifications come back if nobody calls. */
  private readonly parked = new Map<string, Millis>();

  /** New, slow and failing destinations are served apart, so that nobody waits behind them. */
  isHealthy(destinationId: string | null): boolean {
    return destinationId !== null && this.healthy.has(destinationId);
  }

  /** Until when what goes to this destination need not be tried; 0: it may be. */
  parkedUntil(destinationId: string | null): Millis {
    return this.parked.get(destinationId ?? "") ?? 0;
  }

  unpark(destinationId: string): void {
    this.parked.delete(destinationId);
  }

  /** What a stream that wakes up knows of them by its latest notifications, the oldest first. */
  recall({ destinationId, state, attempts }: Notification): void {
    const attempt = attempts.at(-1);
    if (destinationId === null || attempt === undefined) return;
    if (state.kind === "delivered" && attempt.durationMs < SLOW_MS) this.healthy.add(destinationId);
    else this.healthy.delete(destinationId);
  }

  /** A call to it takes long: what is sent from now on goes the slow lane. */
  lags(destinationId: string): void {
    this.healthy.delete(destinationId);
  }

  observe({ destinationId }: Notification, { attempt, next }: Outcome): void {
    if (destinationId === null) return;
    if (next.kind === "parked") this.parked.set(destinationId, next.at);
    if (attempt === undefined) return;
    if (next.kind === "delivered") this.parked.delete(destinationId);
    if (next.kind === "delivered" && attempt.durationMs < SLOW_MS) this.healthy.add(destinationId);
    else this.healthy.delete(destinationId);
  }
}
