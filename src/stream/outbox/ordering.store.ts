import type { StreamStore } from "../store";

/** The table `ordering`: for each ordering key, the notifications that wait in its line or are on their way. */
export class OrderingStore {
  private readonly store: StreamStore;

  constructor(store: StreamStore) {
    this.store = store;
  }

  /** The notification that is first of a key; undefined: none is. */
  first(key: string): number | undefined {
    return this.store.first<{ seq: number }>(
      "SELECT seq FROM ordering WHERE key = ? ORDER BY seq LIMIT 1",
      key,
    )?.seq;
  }

  add(key: string, seq: number): void {
    this.store.run("INSERT OR IGNORE INTO ordering VALUES (?, ?)", key, seq);
  }

  remove(key: string, seq: number): void {
    this.store.run("DELETE FROM ordering WHERE key = ? AND seq = ?", key, seq);
  }
}
