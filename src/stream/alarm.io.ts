import type { Millis } from "../values/instant";

/** An alarm this late is taken for lost. */
const OVERDUE_MS = 120_000;

/** The one alarm of a stream, at the earliest of everything that is due. */
export class Alarm {
  private at: Millis | null = null;
  private readonly state: DurableObjectState;

  constructor(state: DurableObjectState) {
    this.state = state;
  }

  /** @returns when the alarm is due that was set before this object woke up. */
  async recall(): Promise<Millis | null> {
    this.at = await this.state.storage.getAlarm();
    return this.at;
  }

  /** It went off. */
  wentOff(): void {
    this.at = null;
  }

  /** Sets it to the earliest of `times`, unless it comes before that; one that is long overdue is set again. */
  arm(now: Millis, times: readonly Millis[]): void {
    const earliest = Math.min(...times);
    const armed = this.at !== null && this.at > now - OVERDUE_MS;
    if (!Number.isFinite(earliest) || (armed && (this.at ?? 0) <= earliest)) return;
    this.at = earliest;
    this.state.waitUntil(this.state.storage.setAlarm(earliest));
  }
}
