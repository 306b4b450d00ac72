import { GRANT_MS } from "./seats";
import type { Millis } from "../values/instant";

/** What this isolate may do at one endpoint, and does: the grant it holds, and its calls under it. */
export class Allowance {
  /** Calls under way. */
  busy = 0;
  /** Calls that went well and were not reported yet. */
  unreported = 0;
  private calls = 0;
  private until: Millis = 0;
  private toldAt: Millis = 0;

  /** Whether one more call may be begun. */
  hasRoom(now: Millis): boolean {
    return now < this.until && this.busy < this.calls;
  }

  /** Begins a call, if one more may be begun. */
  take(now: Millis): boolean {
    if (!this.hasRoom(now)) return false;
    this.busy += 1;
    return true;
  }

  /** A call is over. */
  give(): void {
    this.busy -= 1;
  }

  /** The endpoint was asked at `askedAt`, and granted so many calls at a time. */
  granted(calls: number, askedAt: Millis): void {
    this.calls = calls;
    this.until = askedAt + GRANT_MS;
    this.toldAt = askedAt;
  }

  /** Nothing more is begun before the endpoint is asked again. */
  revoke(): void {
    this.until = 0;
  }

  /** Whether the endpoint would forget calls that are still under way; true once for each time that it is told. */
  mustTell(now: Millis): boolean {
    if (this.busy === 0 || now < this.until || now < this.toldAt + GRANT_MS) return false;
    this.toldAt = now;
    return true;
  }
}
