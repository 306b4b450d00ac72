import type { Millis } from "../../values/instant";
import type { StreamStore } from "../store";

const NOTES = "untold|";

/**
 * Bundles in which something was cancelled, of which the organization's list of exceptions in D1 may not know yet, each
 * with when it is to be told. A note is written in the transaction that it is about, so no crash loses it.
 */
export class UntoldStore {
  private readonly store: StreamStore;
  /** When the first is due; undefined: not read yet. */
  private next: Millis | null | undefined;

  constructor(store: StreamStore) {
    this.store = store;
  }

  note(bundleId: number, at: Millis): void {
    this.store.setMeta(`${NOTES}${bundleId}`, `${bundleId} ${at}`);
    this.next = undefined;
  }

  /** When the first is to be told; null: there is none. */
  get nextAt(): Millis | null {
    return (this.next ??= this.all().reduce<Millis | null>(
      (first, { at }) => Math.min(first ?? at, at),
      null,
    ));
  }

  due(now: Millis): { bundleId: number; at: Millis }[] {
    return this.all().filter(({ at }) => at <= now);
  }

  /** It was told, unless there is news of it since. */
  told({ bundleId, at }: { bundleId: number; at: Millis }): void {
    const key = `${NOTES}${bundleId}`;
    if (this.store.meta(key) === `${bundleId} ${at}`) this.store.setMeta(key, null);
    this.next = undefined;
  }

  private all(): { bundleId: number; at: Millis }[] {
    return this.store.metaValues(NOTES).map((text) => {
      const [bundleId = 0, at = 0] = text.split(" ").map(Number);
      return { bundleId, at };
    });
  }
}
