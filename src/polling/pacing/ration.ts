import type { Millis } from "../../values/instant";

/** After this time no poll begins, and those that run stop after the page they are at: the rest goes back on the queue. */
const MESSAGE_MS = 60_000;
/**
 * Pages that the polls of one message read together. Each is a request, and with changes a commit and a query of D1, of
 * which one invocation may make 10,000 and 1,000; and 600 pages of 100 records are a few seconds of its 30 of CPU.
 */
const PAGES = 600;
/** A page this large, in UTF-16 units, takes as much CPU as several: as many as it holds of these. */
const UNITS_A_PAGE = 300_000;
/** What counts only when it is read to its end may take longer once it was begun; an invocation ends after 15 minutes. */
const WHOLE_MS = 600_000;
const WHOLE_PAGES = 6_000;

/** What the polls of one queue message may use together. */
export class Ration {
  private readonly beganAt: Millis;
  private pages = 0;

  constructor(beganAt: Millis) {
    this.beganAt = beganAt;
  }

  spend(units: number): void {
    this.pages += Math.max(1, units / UNITS_A_PAGE);
  }

  /** `isWhole`: for the next page of something that was begun and counts only as a whole. */
  isOver(now: Millis, isWhole = false): boolean {
    const [ms, pages] = isWhole ? [WHOLE_MS, WHOLE_PAGES] : [MESSAGE_MS, PAGES];
    return now - this.beganAt >= ms || this.pages >= pages;
  }
}
