import jsonata from "jsonata";
import { LinearEngine, LinearRegExp } from "./linear-regex";

declare module "jsonata" {
  interface Expression {
    /** Hooks of the evaluation go by symbols. */
    assign(name: symbol, value: unknown): void;
  }
}

/** A user's JSONata: what it may cost, whatever it says and whatever it is given. */
const MOST_SOURCE = 16_384;
const MOST_STEPS = 100_000;
const MOST_DEPTH = 150;
const MOST_ITEMS = 10_000;
const MOST_TEXT = 2_000_000;

/** Functions whose answer differs from try to try, or that run text as code. */
const REFUSED = new Set(["now", "millis", "random", "shuffle", "eval"]);
/** Functions that make much of little: their arguments are bounded before they run. */
const MOST_PAD = 10_000;

export type Evaluated = { ok: true; value: unknown } | { ok: false; message: string };

/** What is wrong with an expression before it is ever run; undefined when nothing is. */
export function expressionFault(source: string): string | undefined {
  if (source.length > MOST_SOURCE) return `Expected at most ${MOST_SOURCE} characters`;
  try {
    return syntaxFault(jsonata(source).ast());
  } catch (error) {
    return `Not a JSONata expression: ${messageOf(error)}`;
  }
}

/**
 * Runs an expression that `expressionFault` found nothing wrong with. Clocks stand still while it runs,
 * so steps, depth, list lengths and text lengths bound it instead of time.
 */
export async function evaluate(source: string, input: unknown): Promise<Evaluated> {
  const fault = expressionFault(source);
  if (fault !== undefined) return { ok: false, message: fault };
  let steps = 0;
  try {
    const expression = jsonata(source, {
      RegexEngine: LinearEngine,
      stack: MOST_DEPTH,
      sequence: MOST_ITEMS,
    });
    const hooks = new Map<symbol, unknown>([
      [
        Symbol.for("jsonata.__evaluate_entry"),
        () => {
          steps += 1;
          if (steps > MOST_STEPS) throw new Error(`More than ${MOST_STEPS} steps`);
        },
      ],
      [
        Symbol.for("jsonata.__evaluate_exit"),
        (_: unknown, __: unknown, ___: unknown, result: unknown) => checkSize(result),
      ],
    ]);
    for (const [name, hook] of hooks) expression.assign(name, hook);
    expression.registerFunction("pad", boundedPad, "<s-ns?:s>");
    expression.registerFunction("distinct", distinct, "<x:x>");
    const value: unknown = await expression.evaluate(input);
    checkSize(value);
    return { ok: true, value };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function boundedPad(text: string, width: number, char = " "): string {
  if (Math.abs(width) > MOST_PAD) throw new Error(`$pad: More than ${MOST_PAD} characters`);
  return width < 0 ? text.padStart(-width, char) : text.padEnd(width, char);
}

function distinct(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return [
    ...new Map(
      value.map((item: unknown): [string, unknown] => [JSON.stringify(item) ?? "", item]),
    ).values(),
  ];
}

function checkSize(value: unknown): void {
  if (typeof value === "string" && value.length > MOST_TEXT)
    throw new Error(`A text of more than ${MOST_TEXT} characters`);
  if (Array.isArray(value) && value.length > MOST_ITEMS * 10)
    throw new Error(`A list of more than ${MOST_ITEMS * 10} items`);
}

/** Walks the syntax tree for what is refused: volatile functions, ranges and patterns that can't be bounded. */
function syntaxFault(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  if (node instanceof RegExp) return patternFault(node);
  if (Array.isArray(node)) {
    for (const item of node) {
      const fault = syntaxFault(item);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  const { type, value } = node as { type?: unknown; value?: unknown };
  if (type === "variable" && typeof value === "string" && REFUSED.has(value))
    return `$${value} is not available`;
  if (type === "binary" && value === "..") {
    const fault = rangeFault(node as { lhs?: unknown; rhs?: unknown });
    if (fault !== undefined) return fault;
  }
  return syntaxFault(Object.values(node));
}

function rangeFault({ lhs, rhs }: { lhs?: unknown; rhs?: unknown }): string | undefined {
  const [from, to] = [literal(lhs), literal(rhs)];
  if (from === undefined || to === undefined) return "The ends of a range must be numbers";
  return to - from > MOST_ITEMS ? `A range holds at most ${MOST_ITEMS} items` : undefined;
}

function literal(node: unknown): number | undefined {
  const { type, value, expression } = (node ?? {}) as {
    type?: unknown;
    value?: unknown;
    expression?: unknown;
  };
  if (type === "number" && typeof value === "number") return value;
  const inner = type === "unary" && value === "-" ? literal(expression) : undefined;
  return inner === undefined ? undefined : -inner;
}

function patternFault(pattern: RegExp): string | undefined {
  try {
    return new LinearRegExp(pattern) instanceof LinearRegExp ? undefined : "unreachable";
  } catch (error) {
    return `Pattern ${String(pattern)}: ${messageOf(error)}`;
  }
}

function messageOf(error: unknown): string {
  if (
    typeof error === "object" &&
    error !== null &&
    "message" in error &&
    typeof error.message === "string"
  )
    return error.message;
  return String(error);
}
