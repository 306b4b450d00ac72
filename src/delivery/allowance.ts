import { CALL_LOST_MS, type Grant, GRANT_MS } from "./seats";
import type { Millis } from "../values/instant";

/** At a busy endpoint, after this long an isolate asks anew for as many seats as it can use then. */
const BUSY_GRANT_MS = 300;

/**
 * What has begun and not ended. What nobody ends is forgotten: the platform has cut off the invocation that it was part
 * of.
 */
export class UnderWay {
  private begun: Millis[] = [];

  /** @returns what `end` is to be given. */
  begin(now: Millis): Millis {
    this.begun.push(now);
    return now;
  }

  end(begunAt: Millis): void {
    const index = this.begun.indexOf(begunAt);
    if (index !== -1) this.begun.splice(index, 1);
  }

  count(now: Millis): number {
    if ((this.begun[0] ?? now) <= now - CALL_LOST_MS)
      this.begun = this.begun.filter((begunAt) => begunAt > now - CALL_LOST_MS);
    return this.begun.length;
  }
}

/**
 * The calls of this isolate to one endpoint, and the grant that it makes them under. A grant says how many calls may be
 * under way at a time, and holds for a second from when the isolate asked for it; the isolate counts its calls itself.
 * Calls that outlast their grant go on, and are reported each second. Each message to the endpoint says how many calls
 * are under way, and none beyond these is begun until one is answered with a grant: so the endpoint never takes fewer
 * seats for taken than are, whatever is late, lost or overtaken (`seats.ts`).
 */
export class Allowance {
  /** Calls that went well and were not reported to the endpoint yet. */
  unreported = 0;
  private readonly calls = new UnderWay();
  private seats = 0;
  private until: Millis = 0;
  /** The grant was for fewer calls than were asked for. */
  private short = false;
  private givesBack = false;
  /** The last message to the endpoint: when it was sent, and how many calls at a time it asked for. */
  private told = { turn: 0, at: 0, calls: 0 };
  /** When it was last reported how many calls are under way. */
  private reportedAt: Millis = 0;

  busy(now: Millis): number {
    return this.calls.count(now);
  }

  /** Begins a call, if one more may be begun. @returns what `release` is to be given. */
  take(now: Millis): Millis | undefined {
    return now < this.until && this.busy(now) < this.seats ? this.calls.begin(now) : undefined;
  }

  /** A call is over. */
  release(begunAt: Millis): void {
    this.calls.end(begunAt);
  }

  /** For how long it makes no sense to ask for more seats, since there were none; 0: it does. */
  fullForMs(now: Millis): number {
    return this.short ? Math.max(0, this.until - now) : 0;
  }

  /**
   * What a message to the endpoint says of its sender, which `wanted` so many calls more. From now on its seats are those
   * of its calls under way.
   */
  tell(now: Millis, wanted = 0): { busy: number; turn: number } {
    const busy = this.busy(now);
    const turn = this.told.turn + 1;
    this.seats = Math.min(this.seats, busy);
    this.told = { turn, at: now, calls: busy + wanted };
    this.reportedAt = now;
    return { busy, turn };
  }

  /** The endpoint's answer to a message. It says nothing if another was sent meanwhile. */
  granted(turn: number, { calls, givesBack }: Grant): void {
    if (turn !== this.told.turn) return;
    this.seats = calls;
    this.givesBack = givesBack;
    this.short = calls < this.told.calls;
    this.until = this.told.at + (givesBack ? BUSY_GRANT_MS : GRANT_MS);
  }

  /** No call is begun before the endpoint has granted some again. */
  revoke(): void {
    this.until = 0;
  }

  /** Whether there are seats to be given back, once no more calls are to come. */
  hasSpare(now: Millis): boolean {
    return this.givesBack && this.seats > this.busy(now);
  }

  /** Whether it is time to report calls that have outlasted their grant. Each time it is true once. */
  mustReport(now: Millis): boolean {
    if (this.busy(now) === 0 || now < this.until || now < this.reportedAt + GRANT_MS) return false;
    this.reportedAt = now;
    return true;
  }
}
