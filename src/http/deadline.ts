/** Ends a request after some time, which stands still while we keep the other side waiting. */
export class Deadline {
  private readonly controller = new AbortController();
  private left: number;
  private since = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number) {
    this.left = ms;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  run(now: number): void {
    this.since = now;
    this.timer = setTimeout(() => this.controller.abort(), Math.max(0, this.left));
  }

  stop(now: number): void {
    clearTimeout(this.timer);
    this.left -= now - this.since;
  }
}
