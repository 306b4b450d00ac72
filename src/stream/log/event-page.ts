import type { StoredEvent } from "../event";
import { unitsOf } from "../plan";

/** Events in their order; `more`: others follow, whether their number or their size ended this page. */
export type EventPage = { events: StoredEvent[]; more: boolean };

/** One answer of an object holds 32 MB: a page ends with the event that passes this, in UTF-16 units. */
const MOST_UNITS = 4_000_000;

/** Collects a page of at most `limit` events, as many as one answer holds. */
export class EventCollector {
  private readonly events: StoredEvent[] = [];
  private readonly limit: number;
  private units = 0;
  private hasLeftOut = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  get isFull(): boolean {
    return this.events.length >= this.limit || this.units > MOST_UNITS;
  }

  /** Adds an event. @returns false when the page is full, and it was left out. */
  add(event: StoredEvent): boolean {
    if (this.isFull) {
      this.hasLeftOut = true;
      return false;
    }
    this.events.push(event);
    this.units += unitsOf(event);
    return true;
  }

  /** `more`: others follow those that were given to `add`. */
  page(more: boolean): EventPage {
    return { events: this.events, more: more || this.hasLeftOut };
  }
}
