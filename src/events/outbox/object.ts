import type { DeliveryItem, DeliveryMessage, Millis, Outcome } from "../../delivery/attempt";
import type { DeliveryState, Notification } from "../event";
import type { History } from "../history";
import { groupsByWeight } from "../plan";
import { applyOutcome, dueAt, isOpen, nextAtOf, nextTry } from "../settle";
import type { Bundle, StreamStore } from "../store";
import { notificationId } from "../stream-name";

/** What is on the queue and not settled after this long is sent again. */
export const DELIVERY_LEASE_MS = 45_000;
/** Bundles of one stream on the queue at a time; the rest wait in the stream, where they cost nothing. */
const WINDOW = 50;
const BUNDLE_NOTIFICATIONS = 10;
const BUNDLE_UNITS = 1_000_000;
/** Bodies ride in the queue message below this (a message holds 128,000); above, the consumer asks. */
const INLINE_BYTES = 90_000;
/** What `sendBatch` takes at a time. */
const BATCH_BYTES = 200_000;
const BATCH_MESSAGES = 100;
const RESUME_BUNDLES = 200;
/** An answer slower than this takes its destination to the slow lane. */
const SLOW_MS = 3_000;

export type Queues = { fast: Queue; slow: Queue };
export type Resume = { destinationId: string; most: number | null; from: number };

/**
 * What of a stream is under way: its notifications in bundles, the bundles on the queues, and what is
 * known of their destinations. Leases are in memory only: what is lost with them is sent again.
 */
export class Outbox {
  /** Messages sent since this object woke up. */
  sent = 0;
  /** Something due was left behind because the window was full, or part of its bundle was under way. */
  private backlog: boolean;
  private readonly inFlight = new Map<number, Millis>();
  private readonly healthy = new Set<string>();
  /** Destinations whose circuit is open, and when their notifications come back if nobody calls. */
  private readonly parked = new Map<string, Millis>();
  /** Bundles up to this one may still be on the queue since before this object woke up, until then. */
  private inherited: { upTo: number; until: Millis };
  private readonly store: StreamStore;
  private readonly history: History;
  private readonly queues: () => Queues;
  private readonly name: () => string;

  constructor(
    doors: { store: StreamStore; history: History; queues: () => Queues; name: () => string },
    inherited: { upTo: number; until: Millis },
  ) {
    this.store = doors.store;
    this.history = doors.history;
    this.queues = doors.queues;
    this.name = doors.name;
    this.inherited = inherited;
    this.backlog = this.store.nextDue([]) !== null;
  }

  get hasBacklog(): boolean {
    return this.backlog;
  }

  /** Work that can wait should: half the window is taken by what is under way. */
  get isBusy(): boolean {
    return this.inFlight.size >= WINDOW / 2;
  }

  /** When something here is due again. */
  dueTimes(now: Millis): Millis[] {
    const due = this.store.nextDue([...this.inFlight.keys()]);
    const inheritedUntil = this.inherited.upTo > 0 ? this.inherited.until : 0;
    return [
      ...this.inFlight.values(),
      ...(due === null ? [] : [Math.max(due, inheritedUntil, now + 100)]),
    ];
  }

  /** Gives up leases that ran out, and sends whatever is due. */
  async revive(now: Millis): Promise<void> {
    for (const [id, until] of this.inFlight) if (until <= now) this.inFlight.delete(id);
    if (this.inherited.until <= now) this.inherited.upTo = 0;
    await this.pumpAll(now);
  }

  /** Sends what became due behind this object's back. */
  async pumpAll(now: Millis): Promise<void> {
    this.backlog = true;
    await this.pump(now);
  }

  /** New notifications as rows, those of one lane together; the ones that want order wait for their turn. */
  place(notifications: Notification[], units: (eventSeq: number) => number, now: Millis): Bundle[] {
    for (const notification of notifications) {
      if (notification.keys === undefined) continue;
      const blocked = notification.keys.some((key) => this.store.firstOfKey(key) !== undefined);
      for (const key of notification.keys) this.store.addOrdering(key, notification.seq);
      if (blocked && notification.state.kind === "pending")
        notification.state = { kind: "waiting" };
    }
    for (const notification of notifications) {
      const until = this.parked.get(notification.destinationId ?? "") ?? 0;
      if (until > now && notification.state.kind === "pending")
        notification.state = { kind: "parked", at: until };
    }
    const weight = ({ events }: Notification): number =>
      events.reduce((sum, seq) => sum + units(seq), 0);
    return Map.groupBy(notifications, (one) => `${this.lane([one])} ${one.state.kind === "parked"}`)
      .values()
      .toArray()
      .flatMap((lane) => groupsByWeight(lane, BUNDLE_UNITS, BUNDLE_NOTIFICATIONS, weight))
      .map((group) => this.store.addBundle(group));
  }

  /**
   * Records what became of a bundle's notifications; unless `last`, others of it are still under way. A
   * repeated settle changes nothing. @returns when something of the bundle is due again, or null.
   */
  async settle(
    bundleId: number,
    outcomes: readonly Outcome[],
    last: boolean,
    now: Millis,
  ): Promise<Millis | null> {
    const bundle = this.store.bundle(bundleId);
    if (last) this.inFlight.delete(bundleId);
    if (bundle === undefined) return null;
    const freed: string[] = [];
    let changed = false;
    for (const outcome of outcomes) {
      const notification = bundle.notifications.find(({ seq }) => seq === outcome.seq);
      if (notification === undefined || !applyOutcome(notification, outcome)) continue;
      changed = true;
      this.observe(notification, outcome);
      if (!isOpen(notification)) freed.push(...this.unblock(notification));
    }
    if (changed) this.store.saveBundle(bundle);
    await this.send(freed.length === 0 ? [] : this.advance(freed, now), now);
    await this.pump(now);
    return last ? nextAtOf(bundle.notifications) : null;
  }

  /**
   * A destination is well again (or, with `most`, is to be probed): what was parked for it is due now,
   * oldest first. @returns where to go on, when that was not all.
   */
  async resume({ destinationId, most, from }: Resume, now: Millis): Promise<Resume | null> {
    if (most === null) this.parked.delete(destinationId);
    const page = this.store.putOff(from, now, RESUME_BUNDLES);
    let left = most ?? RESUME_BUNDLES;
    for (const bundle of page) {
      const mine = bundle.notifications.filter(
        ({ state, destinationId: own }) => own === destinationId && state.kind === "parked",
      );
      if (mine.length === 0 || left === 0) continue;
      for (const notification of mine) notification.state = { kind: "pending", at: now };
      this.store.saveBundle(bundle);
      left -= 1;
    }
    await this.pumpAll(now);
    const last = page.at(-1);
    return left > 0 && page.length === RESUME_BUNDLES && last !== undefined
      ? { destinationId, most: most === null ? null : left, from: last.id + 1 }
      : null;
  }

  /** Puts what is due on the queues, as far as the window allows. */
  private async pump(now: Millis): Promise<void> {
    if (!this.backlog || this.inFlight.size >= WINDOW) return;
    const due = this.store.dueBundles(
      now,
      [...this.inFlight.keys()],
      WINDOW - this.inFlight.size + 1,
    );
    const sendable = due
      .filter(({ id }) => id > this.inherited.upTo)
      .slice(0, WINDOW - this.inFlight.size);
    this.backlog = due.length > sendable.length;
    await this.send(sendable, now);
  }

  /** Puts what is due of these bundles on the queues; what can't go now is left for the pump. */
  async send(bundles: readonly Bundle[], now: Millis): Promise<void> {
    const leaseUntil = now + DELIVERY_LEASE_MS;
    const lanes: Record<keyof Queues, DeliveryMessage[]> = { fast: [], slow: [] };
    for (const bundle of bundles) {
      const ready = bundle.notifications.filter(({ state }) => isDue(state, now));
      if (ready.length === 0) continue;
      // Part of a bundle may still be under way: what is due of it follows when that is settled.
      if (this.inFlight.size >= WINDOW || this.inFlight.has(bundle.id)) {
        this.backlog = true;
        continue;
      }
      this.inFlight.set(bundle.id, leaseUntil);
      lanes[this.lane(ready)].push({
        stream: this.name(),
        bundle: bundle.id,
        leaseUntil,
        items: this.items(ready),
      });
    }
    const { fast, slow } = this.queues();
    await this.enqueue(fast, lanes.fast);
    await this.enqueue(slow, lanes.slow);
  }

  private async enqueue(queue: Queue, messages: readonly DeliveryMessage[]): Promise<void> {
    for (const batch of groupsByWeight(messages, BATCH_BYTES, BATCH_MESSAGES, messageBytes)) {
      this.sent += batch.length;
      try {
        await queue.sendBatch(batch.map((body) => ({ body, contentType: "json" })));
      } catch (error) {
        // Nothing is lost: the lease runs out and the alarm sends it again.
        console.warn(
          JSON.stringify({ at: "stream.send", stream: this.name(), error: String(error) }),
        );
      }
    }
  }

  private items(notifications: readonly Notification[]): DeliveryItem[] {
    let bytes = 0;
    return notifications.flatMap((notification) => {
      if (notification.destinationId === null) return [];
      const body = this.history.body(notification);
      bytes += jsonBytes(body);
      return {
        seq: notification.seq,
        n: nextTry(notification),
        tries: notification.tries,
        ...(notification.firstFailedAt === undefined
          ? {}
          : { firstFailedAt: notification.firstFailedAt }),
        destinationId: notification.destinationId,
        id: notificationId(this.name(), notification.seq),
        createdAt: notification.createdAt,
        ...hopsOf(notification.envelope),
        parked: notification.state.kind === "parked",
        forced: notification.forced === true,
        noted: notification.released === true,
        ...(bytes > INLINE_BYTES ? {} : { body }),
      };
    });
  }

  /** New, slow and failing destinations are served apart, so that nobody waits behind them. */
  private lane(notifications: readonly Notification[]): keyof Queues {
    return notifications.every(
      ({ destinationId, tries }) =>
        tries === 0 && destinationId !== null && this.healthy.has(destinationId),
    )
      ? "fast"
      : "slow";
  }

  private observe({ destinationId }: Notification, { attempt, next }: Outcome): void {
    if (destinationId === null) return;
    if (next.kind === "parked") this.parked.set(destinationId, next.at);
    if (attempt === undefined) return;
    if (next.kind === "delivered") this.parked.delete(destinationId);
    if (next.kind === "delivered" && attempt.durationMs < SLOW_MS) this.healthy.add(destinationId);
    else this.healthy.delete(destinationId);
  }

  private unblock(notification: Notification): string[] {
    for (const key of notification.keys ?? []) this.store.removeOrdering(key, notification.seq);
    return notification.keys ?? [];
  }

  /** The notifications that are first of all their keys now that `freed` moved on. */
  private advance(freed: readonly string[], now: Millis): Bundle[] {
    const bundles = new Map<number, Bundle>();
    for (const key of new Set(freed)) {
      const seq = this.store.firstOfKey(key);
      const found = seq === undefined ? undefined : this.store.bundleOf(seq);
      const bundle = found === undefined ? undefined : (bundles.get(found.id) ?? found);
      const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
      if (bundle === undefined || notification?.state.kind !== "waiting") continue;
      if (notification.keys?.some((own) => this.store.firstOfKey(own) !== seq) === true) continue;
      notification.state = { kind: "pending", at: now };
      bundles.set(bundle.id, bundle);
    }
    for (const bundle of bundles.values()) this.store.saveBundle(bundle);
    return [...bundles.values()];
  }
}

function isDue(state: DeliveryState, now: Millis): boolean {
  const at = dueAt(state);
  return at !== null && at <= now;
}

/** What a text weighs inside a JSON message. */
function jsonBytes(text: string): number {
  return new TextEncoder().encode(JSON.stringify(text)).byteLength;
}

function messageBytes({ items }: DeliveryMessage): number {
  return items.reduce(
    (bytes, { body }) => bytes + 400 + (body === undefined ? 0 : jsonBytes(body)),
    200,
  );
}

function hopsOf(envelope: Notification["envelope"]): { hops?: number } {
  return envelope.format === "elements" && envelope.hops !== undefined
    ? { hops: envelope.hops }
    : {};
}
