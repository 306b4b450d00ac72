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
  private readonly ration: Ration | undefined;

  /** @param ration undefined: somebody waits for this poll. */
  constructor(ration: Ration | undefined) {
    this.ration = ration;
  }

  mayAsk(now: Millis): boolean {
    const isOver = this.ration?.isOver(now, this.isWhole) === true;
    if (isOver && !this.isWhole) this.isCut = true;
    return !isOver;
  }

  read(units: number): void {
    this.ration?.spend(units);
  }

  heard(silence: string | undefined): void {
    if (silence === undefined) this.isAnswered = true;
    else this.silence = silence;
  }
}
