import { DurableObject } from "cloudflare:workers";

const MINUTE_MS = 60_000;

/** Ticks each minute from when it was started first, as the cron of a deployment does: `wrangler dev` fires none. */
export abstract class Clock extends DurableObject<Env> {
  abstract onMinute: (scheduledTime: number) => Promise<void>;

  /** Has it tick from now on, if it does not yet. */
  async start(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.wait();
  }

  override async alarm(): Promise<void> {
    // A tick that fails is no reason to stop ticking.
    await this.wait();
    await this.onMinute(Date.now());
  }

  private async wait(): Promise<void> {
    await this.ctx.storage.setAlarm((Math.floor(Date.now() / MINUTE_MS) + 1) * MINUTE_MS);
  }
}
