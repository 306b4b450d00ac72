import jsonata from "jsonata";

/** Bounds of one JSONata evaluation: steps, depth, items of a list, characters of a text. */
const MOST_STEPS = 100_000;
const MOST_DEPTH = 200;
const MOST_ITEMS = 10_000;
const MOST_CHARACTERS = 100_000;
const LONGEST_EXPRESSION = 10_000;
/** Built-in functions look at each item of a list in one step: so many items count as another. */
const ITEMS_A_STEP = 10;

/** Why an expression can't be used, or what went wrong in it. */
export class ExpressionFault extends Error {}

/** Built-in functions that could make much out of little, or run text as code. */
const REFUSED = ["eval", "pad", "replace", "join"] as const;

/** A regular expression of a user runs on a linear-time engine or not at all. */
const NO_REGEX = new Proxy(RegExp, {
  construct() {
    throw new ExpressionFault("Regular expressions are not available in JSONata here");
  },
});

/** @throws ExpressionFault when `text` is no JSONata expression. */
export function compileExpression(text: string): jsonata.Expression {
  if (text.length > LONGEST_EXPRESSION)
    throw new ExpressionFault(`Expected at most ${LONGEST_EXPRESSION} characters`);
  try {
    const expression = jsonata(text, {
      RegexEngine: NO_REGEX,
      stack: MOST_DEPTH,
      sequence: MOST_ITEMS,
    });
    for (const name of REFUSED)
      expression.registerFunction(name, () => {
        throw new ExpressionFault(`$${name} is not available here`);
      });
    // The library's own compares every item with every other.
    expression.registerFunction("distinct", (value: unknown) =>
      Array.isArray(value)
        ? [...new Map(value.map((item) => [JSON.stringify(item), item])).values()]
        : value,
    );
    return expression;
  } catch (error) {
    throw faultOf(error);
  }
}

/**
 * The value of an expression over `input`. `spend` hears of every step; a long list counts as many.
 * @throws ExpressionFault when it fails or takes too much.
 */
export async function evaluateExpression(
  text: string,
  input: unknown,
  spend: (steps: number) => void = () => undefined,
): Promise<unknown> {
  const expression: Hooked = compileExpression(text);
  let left = MOST_STEPS;
  const take = (steps: number): void => {
    left -= steps;
    if (left < 0) throw new ExpressionFault(`Took more than ${MOST_STEPS} steps`);
    spend(steps);
  };
  expression.assign(Symbol.for("jsonata.__evaluate_entry"), () => take(1));
  expression.assign(
    Symbol.for("jsonata.__evaluate_exit"),
    (_expression: unknown, _input: unknown, _environment: unknown, result: unknown) => {
      const tooMuch =
        (typeof result === "string" && result.length > MOST_CHARACTERS) ||
        (Array.isArray(result) && result.length > MOST_ITEMS);
      if (tooMuch) throw new ExpressionFault("Made a value that is too large");
      if (Array.isArray(result)) take(result.length / ITEMS_A_STEP);
    },
  );
  try {
    const value: unknown = await expression.evaluate(input);
    // Sequences carry marks of the library: a plain copy has none, and no functions.
    return value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? "null");
  } catch (error) {
    throw faultOf(error);
  }
}

/** The library looks its hooks up by symbol. */
type Hooked = {
  assign(name: string | symbol, value: unknown): void;
  evaluate(input: unknown): Promise<unknown>;
};

function faultOf(error: unknown): ExpressionFault {
  if (error instanceof ExpressionFault) return error;
  const message =
    typeof error === "object" && error !== null && "message" in error
      ? String(error.message)
      : String(error);
  return new ExpressionFault(message);
}
