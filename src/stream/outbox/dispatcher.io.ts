import type { DeliveryMessage } from "../../delivery/attempt";
import type { Millis } from "../../values/instant";
import type { Notification } from "../event";
import { type AtHand, atHandOf, type History } from "../history";
import type { StreamStore } from "../store";
import type { DestinationHealth } from "./destination-health";
import { Lanes, type Queues } from "./lanes.io";
import { isDue, itemsOf } from "./message";
import { shares } from "./share";
import type { Bundle, OutboxStore } from "./store";

/** What is on the queue and not settled after this long is sent again. */
export const DELIVERY_LEASE_MS = 45_000;
/** Bundles of one stream on the queue at a time; the rest wait in the stream, where they cost nothing. */
const WINDOW = 50;
/** So many bundles on the queue are its usual pace; each one more makes commits wait a little for one another. */
const USUAL = 8;
const PAUSE_EACH_MS = 2;
const LONGEST_PAUSE_MS = 50;
const SETTLED_STEP = 1_000;
/** Older notifications, and those that a job sends again, take the slow lane: live traffic goes first. */
const LIVE_MS = 30_000;

type Doors = {
  store: StreamStore;
  bundles: OutboxStore;
  history: History;
  health: DestinationHealth;
  queues: () => Queues;
  name: () => string;
};

/**
 * Which bundles of a stream are on the delivery queues. Each has a lease, in memory only: when it ends before the
 * bundle is settled, or when this object restarts, the bundle is sent again. Bundles leave by two ways that share
 * the window by halves: new ones in the order they came (`sentUpTo`, no index needed), and those put off (a retry,
 * a replay) by the index of when they are due.
 */
export class Dispatcher {
  /** Messages sent since this object woke up. */
  get sent(): number {
    return this.lanes.sent;
  }
  /** Bundles that were put off are due, but the window was full or part of them was still on the queue. */
  hasBacklog: boolean;
  /** New bundles up to this id were sent, or need no sending; those above wait for the window. */
  private sentUpTo: number;
  private newest: number;
  /** New bundles below this id are all settled, as written down: after a crash the search begins here. */
  private settledBelow: number;
  /** Bundle id → when its lease ends. */
  private readonly inFlight = new Map<number, Millis>();
  /** Bundles up to this id may still be on the queue since before this object woke up, until then. */
  private inherited: { upTo: number; until: Millis };
  private readonly doors: Doors;
  private readonly lanes: Lanes;

  constructor(doors: Doors, lastId: number) {
    this.doors = doors;
    this.lanes = new Lanes(doors.queues, doors.name);
    this.inherited = { upTo: lastId, until: 0 };
    this.sentUpTo = lastId;
    this.newest = lastId;
    this.settledBelow = Number(doors.store.meta("settledBelow") ?? 0);
    doors.bundles.putOffUnsettled(this.settledBelow - 1, lastId);
    this.hasBacklog = doors.bundles.nextDue([]) !== null;
  }

  /** The alarm that was set before this object woke up: until then the queues may still bring what they hold. */
  inheritUntil(at: Millis): void {
    this.inherited.until = at;
  }

  /** Half the window is in use: work that can wait should. */
  get isBusy(): boolean {
    return this.inFlight.size >= WINDOW / 2;
  }

  /**
   * How long commits wait for others to share their transaction, bundle and message: not at all while deliveries
   * keep up. Milliseconds.
   */
  get pauseMs(): number {
    const behind = Math.max(0, this.inFlight.size - USUAL);
    return Math.min(LONGEST_PAUSE_MS, behind * PAUSE_EACH_MS);
  }

  /** Whether a notification of this bundle is on a queue, and not settled yet. */
  isSent(bundleId: number, notification: Notification): boolean {
    const leaseUntil = this.inFlight.get(bundleId);
    return leaseUntil !== undefined && isDue(notification, leaseUntil - DELIVERY_LEASE_MS);
  }

  /** When there is something to send: a lease that ends, or a bundle that is due. */
  dueTimes(now: Millis): Millis[] {
    const due = this.doors.bundles.nextDue([...this.inFlight.keys()]);
    const inheritedUntil = this.inherited.upTo > 0 ? this.inherited.until : 0;
    return [
      ...this.inFlight.values(),
      ...(due === null ? [] : [Math.max(due, inheritedUntil, now + 100)]),
    ];
  }

  /** A bundle is settled: its place in the window is free. */
  release(bundleId: number): void {
    this.inFlight.delete(bundleId);
  }

  /** Gives up leases that ran out, and sends whatever is due. */
  async revive(now: Millis): Promise<void> {
    for (const [id, until] of this.inFlight) {
      if (until > now) continue;
      this.inFlight.delete(id);
      this.doors.bundles.putOffUnsettled(id - 1, id);
    }
    if (this.inherited.until <= now) this.inherited.upTo = 0;
    await this.sendAllDue(now);
  }

  /** Sends what is due, also bundles that were changed in their rows since the last look. */
  async sendAllDue(now: Millis): Promise<void> {
    this.hasBacklog = true;
    await this.sendDue(now);
  }

  /** Fills the window: half with new bundles, half with those that were put off, all with one kind if alone. */
  async sendDue(now: Millis): Promise<void> {
    const { bundles } = this.doors;
    const room = WINDOW - this.inFlight.size;
    if (room <= 0) return;
    const fresh = this.sentUpTo < this.newest ? bundles.fresh(this.sentUpTo, room) : [];
    const due = this.hasBacklog ? bundles.due(now, [...this.inFlight.keys()], room + 1) : [];
    const late = due.filter(({ id }) => id > this.inherited.upTo);
    const [first, second] = shares(fresh.length, late.length, room);
    this.hasBacklog = due.length > second;
    this.sentUpTo =
      first === fresh.length && first < room
        ? this.newest
        : (fresh[first - 1]?.id ?? this.sentUpTo);
    const chosen = [...late.slice(0, second), ...fresh.slice(0, first)];
    await this.send(chosen, now, atHandOf(chosen.flatMap(({ carried }) => carried)));
  }

  /** Sends new bundles, unless older new ones wait for the window. */
  async sendFresh(bundles: readonly Bundle[], now: Millis, atHand?: AtHand): Promise<void> {
    const isUpToDate = this.sentUpTo === this.newest;
    this.newest = bundles.at(-1)?.id ?? this.newest;
    if (!isUpToDate) return this.sendDue(now);
    const ready = bundles.filter(({ notifications }) =>
      notifications.some((notification) => isDue(notification, now)),
    );
    const chosen = ready.slice(0, Math.max(0, WINDOW - this.inFlight.size));
    this.sentUpTo =
      chosen.length === ready.length ? this.newest : (chosen.at(-1)?.id ?? this.sentUpTo);
    await this.send(chosen, now, atHand);
  }

  /** Sends what is due of these bundles; what finds no room is left for `sendDue`. Events `at hand` need not be read. */
  async send(bundles: readonly Bundle[], now: Millis, atHand?: AtHand): Promise<void> {
    const { name, history } = this.doors;
    const leaseUntil = now + DELIVERY_LEASE_MS;
    const lanes: Record<keyof Queues, DeliveryMessage[]> = { fast: [], slow: [] };
    for (const bundle of bundles) {
      const ready = bundle.notifications.filter((notification) => isDue(notification, now));
      if (ready.length === 0) continue;
      // Part of a bundle may still be on the queue: the rest follows when that is settled.
      if (this.inFlight.size >= WINDOW || this.inFlight.has(bundle.id)) {
        this.hasBacklog = true;
        continue;
      }
      this.inFlight.set(bundle.id, leaseUntil);
      const items = itemsOf(name(), ready, (one) => history.body(one, atHand));
      const message = { stream: name(), bundle: bundle.id, leaseUntil, items };
      lanes[this.laneOf(ready, now)].push(message);
    }
    await this.lanes.send(lanes);
  }

  /** Writes down, once in a thousand bundles, below which id all new ones are settled. */
  noteSettled(): void {
    const below = Math.min(this.sentUpTo + 1, ...this.inFlight.keys());
    if (below - this.settledBelow < SETTLED_STEP) return;
    this.settledBelow = below;
    this.doors.store.setMeta("settledBelow", String(below));
  }

  /** The fast lane is for first tries of live notifications to destinations that answer quickly. */
  private laneOf(notifications: readonly Notification[], now: Millis): keyof Queues {
    const isFast = notifications.every(
      (one) =>
        one.tries === 0 && isLive(one, now) && this.doors.health.isHealthy(one.destinationId),
    );
    return isFast ? "fast" : "slow";
  }
}

const isLive = ({ createdAt, released, forced }: Notification, now: Millis): boolean =>
  forced === true || (released !== true && now - createdAt < LIVE_MS);
