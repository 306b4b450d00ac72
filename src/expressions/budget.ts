const MOST_STEPS = 100_000;
/** Characters and members of one value, written out, beyond those of the input. */
const MOST_SIZE = 2_000_000;
/** Members of all that is made; an isolate has 128 MiB. */
const MOST_MADE = 4_000_000;
/** Characters and members of all that is compared or handed to functions. */
const MOST_WALKED = 20_000_000;
/** So many members count as a step. */
const MEMBERS_A_STEP = 10;
const TOO_MUCH = "More work than an expression may make";

/**
 * What one evaluation may take. Clocks stand still while it runs, so its steps are counted, and how much it
 * makes and goes through. A value that holds another many times is as large as it would be written out.
 */
export class Effort {
  private steps = 0;
  private membersMade = 0;
  private membersWalked = 0;
  private sizes = new WeakMap<object, number>();
  private mostSize = Infinity;
  private mostMade = Infinity;
  private spend: (steps: number) => void = () => undefined;

  /** @param spend hears of every step; whatever it throws ends the evaluation. */
  constructor(input: unknown, spend: (steps: number) => void) {
    this.mostSize = MOST_SIZE + this.sizeOf(input);
    this.mostMade = MOST_MADE + this.membersMade;
    this.spend = spend;
  }

  step(): void {
    this.steps += 1;
    if (this.steps > MOST_STEPS) throw new Error(`More than ${MOST_STEPS} steps`);
    this.spend(1);
  }

  /** A value came about. */
  made(value: unknown): void {
    this.sizeOf(value);
  }

  /** Somebody goes through a value, or has written it anew. */
  walked(value: unknown): void {
    this.membersWalked += this.sizeOf(value);
    if (this.membersWalked > MOST_WALKED) throw new Error(TOO_MUCH);
  }

  /** What was measured may have changed since. */
  remeasure(): void {
    this.sizes = new WeakMap();
  }

  /** @throws when it is too large, or holds itself. */
  private sizeOf(value: unknown): number {
    if (typeof value === "string") return this.bounded(value.length + 1);
    if (typeof value !== "object" || value === null || isFunction(value)) return 1;
    const known = this.sizes.get(value);
    if (known !== undefined) return this.bounded(known);
    this.sizes.set(value, Infinity);
    const members = Array.isArray(value) ? value : Object.entries(value).flat();
    this.membersMade += members.length;
    if (this.membersMade > this.mostMade) throw new Error(TOO_MUCH);
    this.spend(members.length / MEMBERS_A_STEP);
    let size = 1;
    for (const member of members) size = this.bounded(size + this.sizeOf(member));
    this.sizes.set(value, size);
    return size;
  }

  private bounded(size: number): number {
    if (size > this.mostSize) throw new Error(`A value of more than ${MOST_SIZE} characters`);
    return size;
  }
}

/** JSONata's own functions and a user's lambdas, which hold their surroundings; it lets nobody else make such members. */
export const isFunction = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  ("_jsonata_lambda" in value || "_jsonata_function" in value);
