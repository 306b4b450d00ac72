import type { Millis } from "./instant";

/** `make`, done once for each value: many changes of one delivery may share the whole of it as their data. */
export function once<T, Of = unknown>(make: (value: Of) => T): (value: Of) => T {
  const made = new Map<Of, T>();
  return (value) => {
    const found = made.get(value);
    if (found !== undefined) return found;
    const fresh = make(value);
    made.set(value, fresh);
    return fresh;
  };
}

/**
 * What an isolate remembers of what it read: at most `most` entries, or as many as weigh so much. When there are more,
 * those that were used longest ago are dropped. Each entry is valid until an instant; callers pass in the time.
 */
export class Cache<Key, Value> {
  private readonly most: number;
  private readonly weigh: (value: Value) => number;
  private readonly entries = new Map<Key, { value: Value; until: Millis; renewAt: Millis }>();
  private weight = 0;

  constructor(most: number, weigh: (value: Value) => number = () => 1) {
    this.most = most;
    this.weigh = weigh;
  }

  get(key: Key, now: Millis): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until <= now) return this.delete(key);
    this.entries.delete(key);
    // A map keeps the order in which keys were set: the first is the one that was used longest ago.
    this.entries.set(key, entry);
    return entry.value;
  }

  /** `until` is the first instant at which the value is no longer valid. */
  set(key: Key, value: Value, until: Millis, renewAt: Millis = until): void {
    this.delete(key);
    this.entries.set(key, { value, until, renewAt });
    this.weight += this.weigh(value);
    while (this.weight > this.most) {
      const [oldest] = this.entries.keys();
      if (oldest === undefined) return;
      this.delete(oldest);
    }
  }

  delete(key: Key): undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.weight -= this.weigh(entry.value);
  }

  clear(): void {
    this.entries.clear();
    this.weight = 0;
  }

  /**
   * Many values at once: those that are cached, and those that one call of `read` finds. All of them are in the answer,
   * even when they are more than the cache holds; only keys that `read` does not find are absent. `until` may differ from
   * value to value. From `renewAt` on one caller reads anew, while the others still use what there is: else all that come
   * when its time is over would read it.
   */
  async getAll(
    keys: Iterable<Key>,
    { now, until, renewAt = until }: { now: Millis; until: Until<Value>; renewAt?: Until<Value> },
    read: (missing: Key[]) => Promise<ReadonlyMap<Key, Value>>,
  ): Promise<Map<Key, Value>> {
    const found = new Map<Key, Value>();
    const missing: Key[] = [];
    for (const key of new Set(keys)) {
      const value = this.isToRenew(key, now) ? undefined : this.get(key, now);
      if (value === undefined) missing.push(key);
      else found.set(key, value);
    }
    if (missing.length === 0) return found;
    const fresh = await read(missing);
    for (const key of missing) if (!fresh.has(key)) this.delete(key);
    for (const [key, value] of fresh) {
      found.set(key, value);
      this.set(key, value, instantOf(until, value), instantOf(renewAt, value));
    }
    return found;
  }

  /** Whether the caller is the one that reads a value anew. */
  private isToRenew(key: Key, now: Millis): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.renewAt > now) return false;
    entry.renewAt = Infinity;
    return true;
  }
}

type Until<Value> = Millis | ((value: Value) => Millis);

const instantOf = <Value>(until: Until<Value>, value: Value): Millis =>
  typeof until === "number" ? until : until(value);
