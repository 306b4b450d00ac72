import type { Notification } from "../event";
import type { Bundle, OutboxStore } from "./store";
import type { Millis } from "../../values/instant";

/**
 * Keeps notifications in order where their destination asks for it. Each has one or more ordering keys, for example
 * one for each object it tells of; the table `ordering` holds a line of notifications for each key. A notification
 * may leave when it is first of all its keys, so objects in order run in parallel with one another.
 */
export class Order {
  private readonly bundles: OutboxStore;

  constructor(bundles: OutboxStore) {
    this.bundles = bundles;
  }

  /** Puts a new notification at the end of its lines. @returns whether others are before it. */
  join({ keys = [], seq }: Notification): boolean {
    const mustWait = keys.some((key) => this.bundles.ordering.first(key) !== undefined);
    for (const key of keys) this.bundles.ordering.add(key, seq);
    return mustWait;
  }

  /** Takes a notification out of its lines. @returns its keys. */
  leave({ keys = [], seq }: Notification): string[] {
    for (const key of keys) this.bundles.ordering.remove(key, seq);
    return keys;
  }

  /**
   * Makes due the waiting notifications that are first of all their keys, after something left the lines of
   * `freedKeys`. @returns their bundles.
   */
  unblock(freedKeys: readonly string[], now: Millis): Bundle[] {
    const bundles = new Map<number, Bundle>();
    for (const key of new Set(freedKeys)) {
      const seq = this.bundles.ordering.first(key);
      const found = seq === undefined ? undefined : this.bundles.find(seq)?.bundle;
      const bundle = found === undefined ? undefined : (bundles.get(found.id) ?? found);
      const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
      if (bundle === undefined || notification?.state.kind !== "waiting") continue;
      if (notification.keys?.some((other) => this.bundles.ordering.first(other) !== seq) === true)
        continue;
      notification.state = { kind: "pending", at: now };
      bundles.set(bundle.id, bundle);
    }
    for (const bundle of bundles.values()) this.bundles.save(bundle);
    return [...bundles.values()];
  }
}
