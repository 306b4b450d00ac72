import type { Queues } from "./lanes.io";
import type { Millis } from "../../values/instant";

/** How long a bundle that was sent may stay unsettled before it is sent again, the first time. */
export const DELIVERY_LEASE_MS = 45_000;
/** Each time a lease runs out the next one of the bundle is twice as long, until it is eight times as long. */
const MOST_DOUBLINGS = 3;
/** Bundles of which it is remembered that leases ran out. */
const MOST_REMEMBERED = 5_000;

/**
 * The leases of the bundles that are on the queues, in memory: until when each is taken to be on its way. A queue that is
 * slower than a lease would get each bundle again and again, and what it hands over at last would be out of date; so
 * leases grow with each that runs out, and a consumer that is late extends the one it has.
 */
export class Leases {
  private readonly running = new Map<
    number,
    { sentAt: Millis; until: Millis; lane: keyof Queues; isRevoked?: true }
  >();
  private readonly counts = { fast: 0, slow: 0 };
  /** By bundle: how many of its leases ran out, since it was settled last. */
  private readonly lapsed = new Map<number, number>();

  get size(): number {
    return this.running.size;
  }

  get ids(): number[] {
    return [...this.running.keys()];
  }

  /** When each ends. */
  get ends(): Millis[] {
    return Array.from(this.running.values(), ({ until }) => until);
  }

  /** Those that went by a lane. */
  count(lane: keyof Queues): number {
    return this.counts[lane];
  }

  /** The lane of a bundle that has a lease. */
  laneOf(id: number): keyof Queues | undefined {
    return this.running.get(id)?.lane;
  }

  has(id: number): boolean {
    return this.running.has(id);
  }

  /** When a bundle was sent that has a lease. */
  sentAt(id: number): Millis | undefined {
    return this.running.get(id)?.sentAt;
  }

  /** @returns until when the lease lasts. */
  begin(id: number, now: Millis, lane: keyof Queues = "fast"): Millis {
    const until = now + DELIVERY_LEASE_MS * 2 ** Math.min(MOST_DOUBLINGS, this.lapsed.get(id) ?? 0);
    this.remove(id);
    this.running.set(id, { sentAt: now, until, lane });
    this.counts[lane] += 1;
    return until;
  }

  /** What is on its way is out of date: the consumer that asks for more time is to drop it. */
  revoke(id: number): void {
    const lease = this.running.get(id);
    if (lease !== undefined) lease.isRevoked = true;
  }

  /**
   * Extends the lease that ends at `until`. @returns its new end; null: it has run out, and the bundle may be on its way
   * with another, or it was revoked, and ends with that.
   */
  extend(id: number, until: Millis, now: Millis): Millis | null {
    const lease = this.running.get(id);
    if (lease === undefined || lease.until !== until || until <= now) return null;
    if (lease.isRevoked === true) {
      this.remove(id);
      return null;
    }
    lease.until = now + DELIVERY_LEASE_MS;
    return lease.until;
  }

  /** No queue took these: they are tried again as soon as a first lease would end. */
  unsent(ids: readonly number[]): void {
    for (const id of ids) {
      const lease = this.running.get(id);
      if (lease !== undefined) lease.until = lease.sentAt + DELIVERY_LEASE_MS;
      this.lapsed.delete(id);
    }
  }

  /** A bundle was settled. */
  end(id: number): void {
    this.remove(id);
    this.lapsed.delete(id);
  }

  /** Ends the leases that ran out. @returns their bundles. */
  expire(now: Millis): number[] {
    const ended = [...this.running].flatMap(([id, { until }]) => (until <= now ? id : []));
    for (const id of ended) {
      this.remove(id);
      const times = (this.lapsed.get(id) ?? 0) + 1;
      this.lapsed.delete(id);
      this.lapsed.set(id, times);
    }
    for (const id of this.lapsed.keys()) {
      if (this.lapsed.size <= MOST_REMEMBERED) break;
      this.lapsed.delete(id);
    }
    return ended;
  }

  private remove(id: number): void {
    const lease = this.running.get(id);
    if (lease === undefined) return;
    this.counts[lease.lane] -= 1;
    this.running.delete(id);
  }
}
