import type { Course } from "../hub/course";
import type { Ration } from "./pacing/ration";
import type { Millis } from "../values/instant";

/** How one poll fares: whether its vendor answers, and whether its message has anything left for it. */
export class PollCourse implements Course {
  /** Why the vendor gave no answer; undefined: it was not asked, or answered. */
  silence: string | undefined;
  isAnswered = false;
  /** The message had nothing left: the rest of the poll is made by another one. */
  isCut = false;
  /** What is read now counts only when it is read to its end. */
  isWhole = false;
  /** The size of the last answer, in UTF-16 units. */
  lastUnits = 0;
  private held: { release(): void } | undefined;
  private readonly ration: Ration | undefined;

  /** @param ration undefined: somebody waits for this poll. */
  constructor(ration: Ration | undefined) {
    this.ration = ration;
  }

  mayAsk(now: Millis): boolean {
    this.letGo();
    const isOver = this.ration?.isOver(now, this.isWhole) === true;
    if (isOver && !this.isWhole) this.isCut = true;
    return !isOver;
  }

  hold(held: { release(): void }): void {
    this.letGo();
    this.held = held;
  }

  /** What the last answer held is committed, or dropped. */
  letGo(): void {
    this.held?.release();
    this.held = undefined;
  }

  read(units: number): void {
    this.lastUnits = units;
    this.ration?.spend(units);
  }

  heard(silence: string | undefined): void {
    if (silence === undefined) this.isAnswered = true;
    else this.silence = silence;
  }
}
