/** Promise turns after which whatever an instant sets off is taken to have happened. */
const TURNS = 60;

/** A clock that goes from one instant that something waits for to the next, and a chance that is the same each time. */
export class VirtualClock {
  now = Date.UTC(2040, 0, 1);
  private readonly waits: { at: number; order: number; go: () => void }[] = [];
  private order = 0;
  private seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  readonly wait = (ms: number): Promise<void> =>
    new Promise((go) =>
      this.push({ at: this.now + Math.max(0, ms), order: (this.order += 1), go }),
    );

  /** In [0, 1). */
  readonly chance = (): number => {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  between(least: number, most: number): number {
    return least + (most - least) * this.chance();
  }

  /** Waiting times of what comes by chance, so many a second. */
  untilNext(perSecond: number): number {
    return (-Math.log(1 - this.chance()) * 1_000) / perSecond;
  }

  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
      const next = this.waits[0];
      if (next === undefined || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      this.pop().go();
    }
    this.now = end;
  }

  private push(wait: (typeof this.waits)[number]): void {
    const { waits } = this;
    let at = waits.push(wait) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(wait, waits[above])) break;
      waits[at] = waits[above] ?? wait;
      at = above;
    }
    waits[at] = wait;
  }

  private pop(): (typeof this.waits)[number] {
    const { waits } = this;
    const [first] = waits;
    const last = waits.pop();
    if (first === undefined || last === undefined) throw new Error("Nothing waits");
    if (waits.length === 0) return first;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const below = isBefore(waits[left + 1], waits[left]) ? left + 1 : left;
      const child = waits[below];
      if (child === undefined || !isBefore(child, last)) {
        waits[at] = last;
        return first;
      }
      waits[at] = child;
      at = below;
    }
  }
}

type Placed = { at: number; order: number };

function isBefore(one: Placed | undefined, other: Placed | undefined): boolean {
  if (one === undefined) return false;
  if (other === undefined) return true;
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
