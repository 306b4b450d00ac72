/** Evaluations of parts of the expression. */
const MOST_STEPS = 100_000;
/** The size of one value: characters and members as they would be written out, beyond the size of the input. */
const MOST_SIZE = 2_000_000;
/** Members of all values that are made; an isolate has 128 MiB. */
const MOST_MADE = 4_000_000;
/** The sizes of all values that are compared or handed to functions, together. */
const MOST_WALKED = 20_000_000;
/** So many members count as a step. */
const MEMBERS_A_STEP = 10;
const TOO_MUCH = "More work than an expression may make";

/**
 * What one evaluation may cost. Its steps are counted, and the sizes of the values it makes and goes through. A value
 * that holds another one many times counts it as many times: `[x, x]` is twice as large as `x`, although both share
 * the memory, since whoever writes it out or compares it pays twice. So ten nested pairs are a thousand times `x`.
 */
export class EvaluationBudget {
  private steps = 0;
  private membersMade = 0;
  private membersWalked = 0;
  private sizes = new WeakMap<object, number>();
  private mostSize = Infinity;
  private mostMade = Infinity;
  private spend: (steps: number) => void = () => undefined;

  /** @param spend is called with every step; what it throws ends the evaluation. */
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

  /** Charges for a value that was made. */
  made(value: unknown): void {
    this.sizeOf(value);
  }

  /** Charges for a value that is gone through, or was written as a new text. */
  walked(value: unknown): void {
    this.membersWalked += this.sizeOf(value);
    if (this.membersWalked > MOST_WALKED) throw new Error(TOO_MUCH);
  }

  /** Forgets the sizes measured so far: values may have been changed in place. */
  remeasure(): void {
    this.sizes = new WeakMap();
  }

  /** @throws when it is too large, or holds itself. */
  private sizeOf(value: unknown): number {
    if (typeof value === "string") return this.bounded(value.length + 1);
    if (typeof value !== "object" || value === null || isFunction(value)) return 1;
    const measured = this.sizes.get(value);
    if (measured !== undefined) return this.bounded(measured);
    // A value that holds itself meets this, and is too large.
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

/**
 * JSONata's functions and a user's lambdas are objects that hold the scope they were made in. Only JSONata can make
 * objects with these members.
 */
export const isFunction = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  ("_jsonata_lambda" in value || "_jsonata_function" in value);
