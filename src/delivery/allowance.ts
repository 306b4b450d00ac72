import { GRANT_MS } from "./seats";
import type { Millis } from "../values/instant";

/**
 * The calls of this isolate to one endpoint, and the grant that it makes them under. A grant says how many calls may be
 * under way at a time, and holds for a second from when the isolate asked for it; the isolate counts its calls itself.
 * Calls that outlast their grant go on, but they must be reported each second, or the endpoint gives their seats to
 * others (`seats.ts`).
 */
export class Allowance {
  /** Calls under way. */
  busy = 0;
  /** Calls that went well and were not reported to the endpoint yet. */
  unreported = 0;
  private calls = 0;
  private until: Millis = 0;
  /** When it was last reported how many calls are under way. */
  private reportedAt: Millis = 0;

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
  release(): void {
    this.busy -= 1;
  }

  /** The endpoint granted so many calls at a time. */
  granted(calls: number, requestedAt: Millis): void {
    this.calls = calls;
    this.until = requestedAt + GRANT_MS;
    this.reportedAt = requestedAt;
  }

  /** No call is begun before the endpoint has granted some again. */
  revoke(): void {
    this.until = 0;
  }

  /** Whether it is time to report calls that have outlasted their grant. Each time it is true once. */
  mustReport(now: Millis): boolean {
    if (this.busy === 0 || now < this.until || now < this.reportedAt + GRANT_MS) return false;
    this.reportedAt = now;
    return true;
  }
}
