import type { Settlement } from "../../delivery/attempt";
import type { Notification } from "../event";
import type { Segment } from "../log/rows.store";
import type { Resume } from "../meta";
import { type Draft, groupsByWeight } from "../plan";
import { applyOutcome, holdsUp, nextAtOf } from "../settle";
import type { DestinationHealth } from "./destination-health";
import type { Dispatcher } from "./dispatcher.io";
import { isDue } from "./message";
import { Order } from "./order.io";
import type { Bundle, OutboxStore } from "./store";
import type { Millis } from "../../values/instant";

const BUNDLE_NOTIFICATIONS = 10;
const BUNDLE_UNITS = 1_000_000;
const RESUME_BUNDLES = 200;

type Doors = { bundles: OutboxStore; health: DestinationHealth; dispatcher: Dispatcher };

/** A stream's notifications on their way: new ones become bundles, and what the calls brought is recorded. */
export class Outbox {
  private readonly doors: Doors;
  private readonly order: Order;

  constructor(doors: Doors) {
    this.doors = doors;
    this.order = new Order(doors.bundles);
  }

  /** New notifications in bundles; each bundle holds those of one lane. */
  arranged(drafts: readonly Draft[], now: Millis): Draft[][] {
    const { health } = this.doors;
    const laneOf = ({ target: { destinationId } }: Draft): string =>
      `${health.isHealthy(destinationId)} ${health.parkedUntil(destinationId) > now}`;
    const weight = ({ events }: Draft): number =>
      events.reduce((sum, { data }) => sum + data.length, 0);
    return Map.groupBy(drafts, laneOf)
      .values()
      .toArray()
      .flatMap((lane) => groupsByWeight(lane, BUNDLE_UNITS, BUNDLE_NOTIFICATIONS, weight));
  }

  /** A bundle as a row; notifications that want order wait for those before them. */
  place(
    notifications: Notification[],
    when: { now: Millis; lastEvent: number; carries?: Segment | undefined },
  ): Bundle {
    const { health, bundles } = this.doors;
    for (const notification of notifications) {
      const { destinationId, state } = notification;
      const isBlocked = this.order.enter(notification);
      if (state.kind !== "pending") continue;
      const until = health.parkedUntil(destinationId);
      if (isBlocked) notification.state = { kind: "waiting" };
      else if (until > when.now) notification.state = { kind: "parked", at: until };
    }
    return bundles.add(notifications, when);
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
    const { health, dispatcher } = this.doors;
    const recorded = settlements.map((settlement) => this.record(settlement));
    for (const destinationId of lagging) health.lags(destinationId);
    dispatcher.noteSettled();
    const freed = recorded.flatMap((one) => one.freed);
    await this.moveOn(freed, now);
    await dispatcher.sendDue(now);
    const due = recorded.flatMap(({ dueAgain }) => dueAgain ?? []);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** @returns the ordering keys that are free now, and when something of the bundle is due again. */
  private record({ bundle: id, outcomes, last }: Settlement): {
    freed: string[];
    dueAgain: Millis | null;
  } {
    const { bundles, health, dispatcher } = this.doors;
    const bundle = bundles.bundle(id);
    if (last) dispatcher.release(id);
    if (bundle === undefined) return { freed: [], dueAgain: null };
    const freed: string[] = [];
    let changed = false;
    for (const outcome of outcomes) {
      const notification = bundle.notifications.find(({ seq }) => seq === outcome.seq);
      if (notification === undefined || !applyOutcome(notification, outcome)) continue;
      changed = true;
      health.observe(notification, outcome);
      if (!holdsUp(notification)) freed.push(...this.order.leave(notification));
    }
    if (changed) bundles.save(bundle);
    return { freed, dueAgain: last ? nextAtOf(bundle.notifications) : null };
  }

  /**
   * A destination is well again (or, with `most`, is to be probed): what was parked for it is due now,
   * oldest first. @returns where to go on, when that was not all.
   */
  async resume({ destinationId, most, from }: Resume, now: Millis): Promise<Resume | null> {
    const { bundles, health, dispatcher } = this.doors;
    if (most === null) health.unpark(destinationId);
    const page = bundles.putOff(from, now, RESUME_BUNDLES);
    let left = most ?? RESUME_BUNDLES;
    const free: Bundle[] = [];
    for (const bundle of page) {
      const mine = bundle.notifications.filter(
        ({ state, destinationId: own }) => own === destinationId && state.kind === "parked",
      );
      if (mine.length === 0 || left === 0) continue;
      for (const notification of mine) notification.state = { kind: "pending", at: now };
      bundles.save(bundle);
      left -= 1;
      // A parked notification is on no queue, so this bundle need not wait for what older queues may bring.
      if (bundle.notifications.every((one) => mine.includes(one) || !isDue(one, now)))
        free.push(bundle);
    }
    await dispatcher.send(free, now);
    await dispatcher.sendAllDue(now);
    const last = page.at(-1);
    return left > 0 && page.length === RESUME_BUNDLES && last !== undefined
      ? { destinationId, most: most === null ? null : left, from: last.id + 1 }
      : null;
  }

  /** Sends the notifications that waited for these ordering keys. */
  async moveOn(keys: readonly string[], now: Millis): Promise<void> {
    if (keys.length > 0) await this.doors.dispatcher.send(this.order.advance(keys, now), now);
  }

  /** A dead notification gives up its place in the order. @returns the keys that are free now. */
  letGo(notification: Notification): string[] {
    if (notification.blocks !== true || notification.state.kind !== "dead") return [];
    delete notification.blocks;
    return this.order.leave(notification);
  }
}
