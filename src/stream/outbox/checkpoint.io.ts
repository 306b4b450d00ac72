import type { Head } from "../head.store";
import { storedUnsettled, type Unsettled } from "../meta";
import type { StreamStore } from "../store";

/** How many bundles are settled between two checkpoints: a restart reads as many that it need not have read. */
const EVERY_BUNDLES = 6;

/**
 * Which fresh bundles may be unsettled, as a restart has to know: an index of them would cost each of them two rows.
 * Instead the list of those that are on a queue is stored with the head (`head.store.ts`), and between commits once in a
 * while. What was settled since then is read again after a restart, and no other of the past.
 */
export class Checkpoint {
  private readonly store: StreamStore;
  private readonly head: Head;
  private settled = 0;
  /** Of the head that had the latest list. */
  private revision: number;

  constructor(store: StreamStore, head: Head) {
    this.store = store;
    this.head = head;
    this.revision = head.stored.revision;
  }

  /** The bundles from `below` on, and those of `except`: by the later of two lists. */
  read(): Unsettled {
    const text = this.store.meta("unsettled");
    const { unsettled, revision } = this.head.stored;
    const own = text === null ? undefined : storedUnsettled.read(text);
    return own === undefined || own.revision < revision ? unsettled : own;
  }

  /** A bundle was settled to its last notification. */
  note(): void {
    const { revision } = this.head.stored;
    if (this.revision !== revision) this.settled = 0;
    this.revision = revision;
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
    this.store.setMeta(
      "unsettled",
      storedUnsettled.write({ ...unsettled, revision: this.head.stored.revision }),
    );
  }
}
