/** Runs at most `width` tasks at a time, in the order they came. Each has an owner, whose waiting tasks can be dismissed. */
export class Limiter {
  private running = 0;
  private waiting: { owner: string; go: (isTurn: boolean) => void }[] = [];
  private readonly width: number;

  constructor(width: number) {
    this.width = width;
  }

  /** @returns undefined when the task was dismissed before it began. */
  async run<T>(owner: string, task: () => Promise<T>): Promise<T | undefined> {
    if (this.running < this.width) this.running += 1;
    else if (!(await new Promise<boolean>((go) => this.waiting.push({ owner, go }))))
      return undefined;
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next.go(true);
    }
  }

  /** Dismisses waiting tasks, except those of owners for whom `stays` is true. */
  dismiss(stays: (owner: string) => boolean): void {
    const all = this.waiting;
    this.waiting = all.filter(({ owner }) => stays(owner));
    for (const { owner, go } of all) if (!stays(owner)) go(false);
  }
}
