import { digitsOf, keepsDigits } from "../../values/digits";

/** What checking one value against a schema may cost: a step is a microsecond or two. */
const MOST_STEPS = 100_000;
/** Objects and lists with more members than these cost the steps of going through them, each time they are. */
const SMALL = 32;
/** Of a member of these, which takes longer than of others. */
const STEPS_A_READ = 1 / 4;

/**
 * What is left of the work of one check. The library knows no bound: a schema that refers to itself twice takes two to
 * the power of the data's depth, and `uniqueItems` the square of a list's length. So every schema that is applied costs
 * steps (`compile.ts`), and so does whatever takes longer the larger the data is.
 */
export class Work {
  private left = MOST_STEPS;

  /** @throws RangeError when there is none left. */
  spend(steps: number): void {
    this.left -= steps;
    // As when the stack runs out, which the library's own recursion may make it do.
    if (this.left < 0) throw new RangeError(`More than ${MOST_STEPS} steps`);
  }

  /**
   * JSON as the library may have it, a copy if need be: numbers whose digits are kept (`values/digits.ts`) are doubles,
   * and large objects and lists cost steps.
   * @param names takes the names of all members.
   */
  watch(value: unknown, names: Set<string> | undefined): unknown {
    return names === undefined && isOrdinary(value) ? value : this.copy(value, names);
  }

  private copy(value: unknown, names: Set<string> | undefined): unknown {
    if (typeof value !== "object" || value === null) return value;
    this.spend(1);
    if (Array.isArray(value))
      return this.watched(
        value.map((item, at) => this.copy(doubleOf(value, `${at}`, item), names)),
      );
    const members = Object.entries(value).map(([name, member]): [string, unknown] => {
      names?.add(name);
      return [name, this.copy(doubleOf(value, name, member), names)];
    });
    return this.watched(Object.fromEntries(members), members.length);
  }

  private watched(value: object, size = Array.isArray(value) ? value.length : 0): object {
    if (size <= SMALL) return value;
    return new Proxy(value, {
      ownKeys: (target) => {
        this.spend(size);
        return Reflect.ownKeys(target);
      },
      get: (target, name) => {
        this.spend(STEPS_A_READ);
        return Reflect.get(target, name);
      },
    });
  }
}

/** Whether the library can have a value as it is. Most are so, and copying takes as long as half the check. */
function isOrdinary(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (keepsDigits(value)) return false;
  if (Array.isArray(value)) return value.length <= SMALL && value.every(isOrdinary);
  let members = 0;
  for (const name in value) {
    members += 1;
    if (members > SMALL || !isOrdinary(Reflect.get(value, name))) return false;
  }
  return true;
}

function doubleOf(holder: object, name: string, member: unknown): unknown {
  if (typeof member !== "string") return member;
  const digits = digitsOf(holder, name);
  return digits === undefined ? member : Number(digits);
}
