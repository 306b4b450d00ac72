import type { Millis } from "../values/instant";

/** An alarm that should have gone off this long ago is taken for lost. */
const OVERDUE_MS = 120_000;

/** The one alarm that a Durable Object has. It survives a restart; `at` is a copy in memory. */
export class Alarm {
  private at: Millis | null = null;
  private readonly state: DurableObjectState;

  constructor(state: DurableObjectState) {
    this.state = state;
  }

  /** After a restart: reads the alarm set before. @returns when it goes off. */
  async load(): Promise<Millis | null> {
    this.at = await this.state.storage.getAlarm();
    return this.at;
  }

  /** The alarm went off, so none is set now. */
  fired(): void {
    this.at = null;
  }

  /** Sets the alarm to the earliest of `times`, unless it goes off before that anyway. @returns whether it did. */
  arm(now: Millis, times: readonly Millis[]): boolean {
    const earliest = Math.min(...times);
    const isSet = this.at !== null && this.at > now - OVERDUE_MS;
    if (!Number.isFinite(earliest) || (isSet && (this.at ?? 0) <= earliest)) return false;
    this.at = earliest;
    this.state.waitUntil(this.state.storage.setAlarm(earliest));
    return true;
  }
}
