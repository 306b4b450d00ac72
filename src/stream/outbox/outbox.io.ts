import type { Settlement } from "../../delivery/attempt";
import type { Notification } from "../event";
import type { Resume } from "../meta";
import { type Draft, groupsByWeight, unitsOf } from "../plan";
import { applyOutcome, blocksFollowers, earliestDueAt, isCancelled } from "../settle";
import type { DestinationHealth } from "./destination-health";
import type { Dispatcher } from "./dispatcher.io";
import { isDue } from "./message";
import { Order } from "./order.io";
import type { Bundle, OutboxStore } from "./store";
import type { UntoldStore } from "./untold.io";
import type { Millis } from "../../values/instant";

const BUNDLE_NOTIFICATIONS = 10;
/** UTF-16 units of event data. */
const BUNDLE_UNITS = 1_000_000;
const RESUME_BUNDLES = 200;

/** So long after a call ended that was under way when its notification was cancelled, its consumer has told D1 of it. */
const TOLD_WITHIN_MS = 5_000;

type Doors = {
  bundles: OutboxStore;
  health: DestinationHealth;
  dispatcher: Dispatcher;
  untold: UntoldStore;
};

/**
 * The notifications of a stream on their way out (an outbox, as in the outbox pattern): new ones are stored in
 * bundles, and what became of each is recorded when a consumer settles its bundle.
 */
export class Outbox {
  private readonly doors: Doors;
  private readonly order: Order;

  constructor(doors: Doors) {
    this.doors = doors;
    this.order = new Order(doors.bundles);
  }

  /** Groups new notifications into bundles. Healthy, other and parked destinations don't share one: it travels as a whole. */
  inBundles(drafts: readonly Draft[], now: Millis): Draft[][] {
    const { health } = this.doors;
    const kindOf = ({ target: { destinationId } }: Draft): string =>
      `${health.isHealthy(destinationId)} ${health.parkedUntil(destinationId) > now}`;
    const weight = ({ events, rawUnits = 0 }: Draft): number =>
      events.reduce((sum, event) => sum + unitsOf(event), rawUnits);
    return Map.groupBy(drafts, kindOf)
      .values()
      .toArray()
      .flatMap((kind) => groupsByWeight(kind, BUNDLE_UNITS, BUNDLE_NOTIFICATIONS, weight));
  }

  /** Stores a bundle. A notification that must keep an order waits if another of its order is before it. */
  insert(notifications: Notification[], when: Parameters<OutboxStore["add"]>[1]): Bundle {
    const { health, bundles } = this.doors;
    for (const notification of notifications) {
      const { destinationId, state } = notification;
      const mustWait = this.order.join(notification);
      if (state.kind !== "pending") continue;
      const until = health.parkedUntil(destinationId);
      if (mustWait) notification.state = { kind: "waiting" };
      else if (until > when.now) notification.state = { kind: "parked", at: until };
    }
    return bundles.add(notifications, when);
  }

  /**
   * Records what became of the notifications of these bundles, and sends what has room now. A settlement that comes
   * twice changes nothing. `lagging`: destinations with a call that is still running and already takes long.
   * @returns when something of these bundles is due again; null: never by itself.
   */
  async settle(
    settlements: readonly Settlement[],
    lagging: readonly string[],
    now: Millis,
  ): Promise<Millis | null> {
    const { health, dispatcher } = this.doors;
    const recorded = settlements.map((settlement) => this.recordSettlement(settlement, now));
    for (const destinationId of lagging) health.markSlow(destinationId);
    dispatcher.saveCheckpoint();
    await this.sendUnblocked(
      recorded.flatMap(({ freedKeys }) => freedKeys),
      now,
    );
    await dispatcher.sendDue(now);
    const due = recorded.flatMap(({ dueAgain }) => dueAgain ?? []);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** @returns the ordering keys whose next notification may go, and when something of the bundle is due again. */
  private recordSettlement(
    { bundle: id, outcomes, last }: Settlement,
    now: Millis,
  ): { freedKeys: string[]; dueAgain: Millis | null } {
    const { bundles, health, dispatcher, untold } = this.doors;
    const bundle = bundles.bundle(id);
    if (last)
      dispatcher.endLease(
        id,
        outcomes.every(({ next }) => next.kind === "delivered"),
      );
    if (bundle === undefined) return { freedKeys: [], dueAgain: null };
    const freedKeys: string[] = [];
    let changed = false;
    for (const outcome of outcomes) {
      const notification = bundle.notifications.find(({ seq }) => seq === outcome.seq);
      if (notification === undefined) continue;
      const wasCancelled = isCancelled(notification.state);
      if (!applyOutcome(notification, outcome)) continue;
      changed = true;
      if (wasCancelled) untold.note(id, now + TOLD_WITHIN_MS);
      health.observe(notification, outcome);
      if (!blocksFollowers(notification)) freedKeys.push(...this.order.leave(notification));
    }
    if (changed) bundles.save(bundle);
    return { freedKeys, dueAgain: last ? earliestDueAt(bundle.notifications) : null };
  }

  /**
   * Makes what was parked for a destination due now, oldest first: all of it when the destination recovered
   * (`most` null), else `most` bundles as a probe. @returns where to go on, if one page was not enough.
   */
  async resume({ destinationId, most, from }: Resume, now: Millis): Promise<Resume | null> {
    const { bundles, health, dispatcher } = this.doors;
    if (most === null) health.unpark(destinationId);
    const page = bundles.deferred(from, now, RESUME_BUNDLES);
    let left = most ?? RESUME_BUNDLES;
    const onNoQueue: Bundle[] = [];
    for (const bundle of page) {
      const parked = bundle.notifications.filter(
        (one) => one.destinationId === destinationId && one.state.kind === "parked",
      );
      if (parked.length === 0 || left === 0) continue;
      for (const notification of parked) notification.state = { kind: "pending", at: now };
      bundles.save(bundle);
      left -= 1;
      // What was parked is on no queue, so it may go at once even if a restart left the queues' content unknown.
      if (bundle.notifications.every((one) => parked.includes(one) || !isDue(one, now)))
        onNoQueue.push(bundle);
    }
    await dispatcher.send(onNoQueue, now);
    await dispatcher.sendAllDue(now);
    const last = page.at(-1);
    return left > 0 && page.length === RESUME_BUNDLES && last !== undefined
      ? { destinationId, most: most === null ? null : left, from: last.id + 1 }
      : null;
  }

  /** Sends the notifications that are first of these ordering keys now. */
  async sendUnblocked(keys: readonly string[], now: Millis): Promise<void> {
    if (keys.length > 0) await this.doors.dispatcher.send(this.order.unblock(keys, now), now);
  }

  /** A notification is cancelled: it gives up its place. @returns the keys it was in line for. */
  withdraw(notification: Notification): string[] {
    delete notification.blocks;
    return this.order.leave(notification);
  }

  /** A dead notification that held up its followers gives up its place. @returns the keys it was first of. */
  leaveOrder(notification: Notification): string[] {
    if (notification.blocks !== true || notification.state.kind !== "dead") return [];
    delete notification.blocks;
    return this.order.leave(notification);
  }
}
