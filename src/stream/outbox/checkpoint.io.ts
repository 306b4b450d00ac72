import { storedUnsettled, type Unsettled } from "../meta";
import type { StreamStore } from "../store";

/** How many bundles are settled between two checkpoints: a restart reads as many that it need not have read. */
const EVERY_BUNDLES = 6;

/**
 * Which fresh bundles may be unsettled, as a restart has to know: an index of them would cost each of them two rows.
 * Instead the list of those that are on a queue is stored once in a while. What was settled since then is read again
 * after a restart, and no other of the past.
 */
export class Checkpoint {
  private readonly store: StreamStore;
  private settled = 0;

  constructor(store: StreamStore) {
    this.store = store;
  }

  /** The bundles from `below` on, and those of `except`. */
  read(): Unsettled {
    const text = this.store.meta("unsettled");
    if (text !== null) return storedUnsettled.read(text);
    // A version before stored a number alone, each thousand bundles.
    return { below: Number(this.store.meta("settledBelow") ?? 0), except: [] };
  }

  /** A bundle was settled to its last notification. */
  note(): void {
    this.settled += 1;
  }

  /** Stores the list if enough changed since the last time. */
  save(unsettled: () => Unsettled): void {
    if (this.settled >= EVERY_BUNDLES) this.write(unsettled());
  }

  /** After a restart, when no fresh bundle up to `lastId` is unsettled any more: spares the next one the same. */
  restarted(lastId: number, before: Unsettled): void {
    if (lastId - before.below >= EVERY_BUNDLES) this.write({ below: lastId + 1, except: [] });
  }

  private write(unsettled: Unsettled): void {
    this.settled = 0;
    this.store.setMeta("unsettled", storedUnsettled.write(unsettled));
  }
}
