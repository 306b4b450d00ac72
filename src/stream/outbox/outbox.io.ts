import type { DeliveryMessage, Settlement } from "../../delivery/attempt";
import type { Notification } from "../event";
import { type AtHand, atHandOf, type History } from "../history";
import type { Segment } from "../log/rows.store";
import { type Draft, groupsByWeight } from "../plan";
import { applyOutcome, holdsUp, nextAtOf } from "../settle";
import type { StreamStore } from "../store";
import { Lanes, type Queues } from "./lanes.io";
import { isDue, itemsOf } from "./message";
import { Order } from "./order.io";
import { shares } from "./share";
import { DestinationHealth } from "./destination-health";
import type { Bundle, OutboxStore } from "./store";
import type { Millis } from "../../values/instant";

/** What is on the queue and not settled after this long is sent again. */
export const DELIVERY_LEASE_MS = 45_000;
/** Bundles of one stream on the queue at a time; the rest wait in the stream, where they cost nothing. */
const WINDOW = 50;
/** So many bundles on the queue are its usual pace; each one more makes commits wait a little for one another. */
const USUAL = 8;
const PAUSE_EACH_MS = 2;
const LONGEST_PAUSE_MS = 50;
const BUNDLE_NOTIFICATIONS = 10;
const BUNDLE_UNITS = 1_000_000;
const RESUME_BUNDLES = 200;
const SETTLED_STEP = 1_000;
/** What is older, or is sent anew by a job, is late already: it lets what is live go first. */
const LIVE_MS = 30_000;
/** Who was well before this object slept need not prove it again behind those that are not. */
const RECALLED_BUNDLES = 20;

type Doors = {
  store: StreamStore;
  bundles: OutboxStore;
  history: History;
  queues: () => Queues;
  name: () => string;
};
export type Resume = { destinationId: string; most: number | null; from: number };

/**
 * What of a stream is under way: its notifications in bundles, the bundles on the queues, and what is
 * known of their destinations. Leases are in memory only: what is lost with them is sent again.
 */
export class Outbox {
  /** Something put off was left behind because the window was full, or part of its bundle was under way. */
  private backlog: boolean;
  /** Fresh bundles up to this one were sent, or need no sending; those above wait for the window. */
  private sentUpTo: number;
  private newest: number;
  /** Below this nothing fresh is unsettled, as written down. */
  private settledBelow: number;
  private readonly inFlight = new Map<number, Millis>();
  private readonly health = new DestinationHealth();
  /** Bundles up to this one may still be on the queue since before this object woke up, until then. */
  private inherited: { upTo: number; until: Millis };
  private readonly store: StreamStore;
  private readonly bundles: OutboxStore;
  private readonly history: History;
  private readonly order: Order;
  private readonly lanes: Lanes;
  private readonly name: () => string;

  constructor(doors: Doors, upTo: number) {
    this.store = doors.store;
    this.bundles = doors.bundles;
    this.history = doors.history;
    this.order = new Order(doors.bundles);
    this.lanes = new Lanes(doors.queues, doors.name);
    this.name = doors.name;
    this.inherited = { upTo, until: 0 };
    this.sentUpTo = upTo;
    this.newest = upTo;
    this.settledBelow = Number(this.store.meta("settledBelow") ?? 0);
    this.bundles.putOffUnsettled(this.settledBelow - 1, upTo);
    this.backlog = this.bundles.nextDue([]) !== null;
    for (const { notifications } of this.bundles
      .before(Number.MAX_SAFE_INTEGER, RECALLED_BUNDLES)
      .toReversed())
      for (const notification of notifications) this.health.recall(notification);
  }

  /** The alarm that was set before this object woke up: until then queues may still bring what they hold. */
  inheritUntil(at: Millis): void {
    this.inherited.until = at;
  }

  /** Messages sent since this object woke up. */
  get sent(): number {
    return this.lanes.sent;
  }

  get hasBacklog(): boolean {
    return this.backlog;
  }

  /** Work that can wait should: half the window is taken by what is under way. */
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

  /** When something here is due again. */
  dueTimes(now: Millis): Millis[] {
    const due = this.bundles.nextDue([...this.inFlight.keys()]);
    const inheritedUntil = this.inherited.upTo > 0 ? this.inherited.until : 0;
    return [
      ...this.inFlight.values(),
      ...(due === null ? [] : [Math.max(due, inheritedUntil, now + 100)]),
    ];
  }

  /** Gives up leases that ran out, and sends whatever is due. */
  async revive(now: Millis): Promise<void> {
    for (const [id, until] of this.inFlight) {
      if (until > now) continue;
      this.inFlight.delete(id);
      this.bundles.putOffUnsettled(id - 1, id);
    }
    if (this.inherited.until <= now) this.inherited.upTo = 0;
    await this.pumpAll(now);
  }

  /** Sends what became due behind this object's back. */
  async pumpAll(now: Millis): Promise<void> {
    this.backlog = true;
    await this.pump(now);
  }

  /** New notifications, those of one lane together, in bundles. */
  arranged(drafts: readonly Draft[], now: Millis): Draft[][] {
    const laneOf = ({ target: { destinationId } }: Draft): string =>
      `${this.health.isHealthy(destinationId)} ${this.health.parkedUntil(destinationId) > now}`;
    const weight = ({ events }: Draft): number =>
      events.reduce((sum, { data }) => sum + data.length, 0);
    return Map.groupBy(drafts, laneOf)
      .values()
      .toArray()
      .flatMap((lane) => groupsByWeight(lane, BUNDLE_UNITS, BUNDLE_NOTIFICATIONS, weight));
  }

  /** A bundle as a row; notifications that want order wait for their turn. */
  place(
    notifications: Notification[],
    when: { now: Millis; lastEvent: number; carries?: Segment | undefined },
  ): Bundle {
    const { now } = when;
    for (const notification of notifications) {
      const { destinationId, state } = notification;
      const isBlocked = this.order.enter(notification);
      if (state.kind !== "pending") continue;
      const until = this.health.parkedUntil(destinationId);
      if (isBlocked) notification.state = { kind: "waiting" };
      else if (until > now) notification.state = { kind: "parked", at: until };
    }
    return this.bundles.add(notifications, when);
  }

  /**
   * Records what became of the notifications of bundles; a repeated settle changes nothing. @returns when
   * something of them is due again, or null.
   */
  async settle(
    settlements: readonly Settlement[],
    lagging: readonly string[],
    now: Millis,
  ): Promise<Millis | null> {
    const recorded = settlements.map((settlement) => this.record(settlement));
    for (const destinationId of lagging) this.health.lags(destinationId);
    this.noteSettled();
    const freed = recorded.flatMap((one) => one.freed);
    await this.moveOn(freed, now);
    await this.pump(now);
    const due = recorded.flatMap(({ dueAgain }) => dueAgain ?? []);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** @returns the keys that are free now, and when something of the bundle is due again. */
  private record({ bundle: id, outcomes, last }: Settlement): {
    freed: string[];
    dueAgain: Millis | null;
  } {
    const bundle = this.bundles.bundle(id);
    if (last) this.inFlight.delete(id);
    if (bundle === undefined) return { freed: [], dueAgain: null };
    const freed: string[] = [];
    let changed = false;
    for (const outcome of outcomes) {
      const notification = bundle.notifications.find(({ seq }) => seq === outcome.seq);
      if (notification === undefined || !applyOutcome(notification, outcome)) continue;
      changed = true;
      this.health.observe(notification, outcome);
      if (!holdsUp(notification)) freed.push(...this.order.leave(notification));
    }
    if (changed) this.bundles.save(bundle);
    return { freed, dueAgain: last ? nextAtOf(bundle.notifications) : null };
  }

  /**
   * A destination is well again (or, with `most`, is to be probed): what was parked for it is due now,
   * oldest first. @returns where to go on, when that was not all.
   */
  async resume({ destinationId, most, from }: Resume, now: Millis): Promise<Resume | null> {
    if (most === null) this.health.unpark(destinationId);
    const page = this.bundles.putOff(from, now, RESUME_BUNDLES);
    let left = most ?? RESUME_BUNDLES;
    const free: Bundle[] = [];
    for (const bundle of page) {
      const mine = bundle.notifications.filter(
        ({ state, destinationId: own }) => own === destinationId && state.kind === "parked",
      );
      if (mine.length === 0 || left === 0) continue;
      for (const notification of mine) notification.state = { kind: "pending", at: now };
      this.bundles.save(bundle);
      left -= 1;
      // What was parked is on no queue, whatever else may be since before this object slept.
      if (bundle.notifications.every((one) => mine.includes(one) || !isDue(one, now)))
        free.push(bundle);
    }
    await this.send(free, now);
    await this.pumpAll(now);
    const last = page.at(-1);
    return left > 0 && page.length === RESUME_BUNDLES && last !== undefined
      ? { destinationId, most: most === null ? null : left, from: last.id + 1 }
      : null;
  }

  /** Lets what waited behind `keys` leave. */
  async moveOn(keys: readonly string[], now: Millis): Promise<void> {
    if (keys.length > 0) await this.send(this.order.advance(keys, now), now);
  }

  /** A notification that is dead gives up its place in the order. @returns the keys that are free now. */
  letGo(notification: Notification): string[] {
    if (notification.blocks !== true || notification.state.kind !== "dead") return [];
    delete notification.blocks;
    return this.order.leave(notification);
  }

  /** Puts what is due on the queues, as far as the window allows: of what is fresh and of what was put off. */
  private async pump(now: Millis): Promise<void> {
    const room = WINDOW - this.inFlight.size;
    if (room <= 0) return;
    const fresh = this.sentUpTo < this.newest ? this.bundles.fresh(this.sentUpTo, room) : [];
    const due = this.backlog ? this.bundles.due(now, [...this.inFlight.keys()], room + 1) : [];
    const late = due.filter(({ id }) => id > this.inherited.upTo);
    const [first, second] = shares(fresh.length, late.length, room);
    this.backlog = due.length > second;
    this.sentUpTo =
      first === fresh.length && first < room
        ? this.newest
        : (fresh[first - 1]?.id ?? this.sentUpTo);
    const chosen = [...late.slice(0, second), ...fresh.slice(0, first)];
    await this.send(chosen, now, atHandOf(chosen.flatMap(({ carried }) => carried)));
  }

  /** Puts new bundles on the queues, unless older ones wait for the window. */
  async sendFresh(bundles: readonly Bundle[], now: Millis, atHand?: AtHand): Promise<void> {
    const isUpToDate = this.sentUpTo === this.newest;
    this.newest = bundles.at(-1)?.id ?? this.newest;
    if (!isUpToDate) return this.pump(now);
    const ready = bundles.filter(({ notifications }) =>
      notifications.some((notification) => isDue(notification, now)),
    );
    const chosen = ready.slice(0, Math.max(0, WINDOW - this.inFlight.size));
    this.sentUpTo =
      chosen.length === ready.length ? this.newest : (chosen.at(-1)?.id ?? this.sentUpTo);
    await this.send(chosen, now, atHand);
  }

  /**
   * Puts what is due of these bundles on the queues; what can't go now is left for the pump. Events `at
   * hand` need not be read for their bodies.
   */
  async send(bundles: readonly Bundle[], now: Millis, atHand?: AtHand): Promise<void> {
    const leaseUntil = now + DELIVERY_LEASE_MS;
    const lanes: Record<keyof Queues, DeliveryMessage[]> = { fast: [], slow: [] };
    for (const bundle of bundles) {
      const ready = bundle.notifications.filter((notification) => isDue(notification, now));
      if (ready.length === 0) continue;
      // Part of a bundle may still be under way: what is due of it follows when that is settled.
      if (this.inFlight.size >= WINDOW || this.inFlight.has(bundle.id)) {
        this.backlog = true;
        continue;
      }
      this.inFlight.set(bundle.id, leaseUntil);
      const isFast = ready.every(
        (one) => one.tries === 0 && isLive(one, now) && this.health.isHealthy(one.destinationId),
      );
      lanes[isFast ? "fast" : "slow"].push({
        stream: this.name(),
        bundle: bundle.id,
        leaseUntil,
        items: itemsOf(this.name(), ready, (one) => this.history.body(one, atHand)),
      });
    }
    await this.lanes.send(lanes);
  }

  /** Writes down, now and then, how far everything fresh is settled: after a crash the search begins there. */
  private noteSettled(): void {
    const below = Math.min(this.sentUpTo + 1, ...this.inFlight.keys());
    if (below - this.settledBelow < SETTLED_STEP) return;
    this.settledBelow = below;
    this.store.setMeta("settledBelow", String(below));
  }
}

const isLive = ({ createdAt, released, forced }: Notification, now: Millis): boolean =>
  forced === true || (released !== true && now - createdAt < LIVE_MS);
