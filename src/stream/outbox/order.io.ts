import type { Notification } from "../event";
import type { Bundle, OutboxStore } from "./store";
import type { Millis } from "../../values/instant";

/** What must be settled before what, for notifications that want order. */
export class Order {
  private readonly bundles: OutboxStore;

  constructor(bundles: OutboxStore) {
    this.bundles = bundles;
  }

  /** A new notification takes its place. @returns whether others are before it. */
  enter({ keys = [], seq }: Notification): boolean {
    const isBlocked = keys.some((key) => this.bundles.firstOfKey(key) !== undefined);
    for (const key of keys) this.bundles.addOrdering(key, seq);
    return isBlocked;
  }

  /** A notification gives up its place. @returns the keys that are free now. */
  leave({ keys = [], seq }: Notification): string[] {
    for (const key of keys) this.bundles.removeOrdering(key, seq);
    return keys;
  }

  /** The notifications that are first of all their keys now that `freed` moved on. */
  advance(freed: readonly string[], now: Millis): Bundle[] {
    const bundles = new Map<number, Bundle>();
    for (const key of new Set(freed)) {
      const seq = this.bundles.firstOfKey(key);
      const found = seq === undefined ? undefined : this.bundles.bundleOf(seq);
      const bundle = found === undefined ? undefined : (bundles.get(found.id) ?? found);
      const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
      if (bundle === undefined || notification?.state.kind !== "waiting") continue;
      if (notification.keys?.some((own) => this.bundles.firstOfKey(own) !== seq) === true) continue;
      notification.state = { kind: "pending", at: now };
      bundles.set(bundle.id, bundle);
    }
    for (const bundle of bundles.values()) this.bundles.save(bundle);
    return [...bundles.values()];
  }
}
