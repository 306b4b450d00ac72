import jsonata from "jsonata";
import { Effort, isFunction } from "./budget";
import { LinearEngine, LinearRegExp } from "./linear-regex";

declare module "jsonata" {
  interface Expression {
    /** Hooks of the evaluation go by symbols. */
    assign(name: symbol, value: unknown): void;
  }
}

/** A user's JSONata: what it may cost, whatever it says and whatever it is given. */
const MOST_SOURCE = 16_384;
const MOST_DEPTH = 150;
const MOST_ITEMS = 10_000;

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

/** A part of an expression, as far as its cost goes. */
type Part = {
  type?: unknown;
  value?: unknown;
  arguments?: unknown;
  lhs?: unknown;
  rhs?: unknown;
};

/**
 * Runs an expression that `expressionFault` found nothing wrong with. Steps, depth and the sizes of values
 * bound it instead of time; `spend` hears of them.
 */
export async function evaluate(
  source: string,
  input: unknown,
  spend: (steps: number) => void = () => undefined,
): Promise<Evaluated> {
  const fault = expressionFault(source);
  if (fault !== undefined) return { ok: false, message: fault };
  try {
    const expression = jsonata(source, {
      RegexEngine: LinearEngine,
      stack: MOST_DEPTH,
      sequence: MOST_ITEMS,
    });
    const effort = new Effort(input, spend);
    const { walked, changes } = costly(expression.ast());
    const enter = (): void => effort.step();
    const leave = (part: Part, _: unknown, __: unknown, result: unknown): void => {
      const isCall = part.type === "function" || part.type === "apply";
      if (changes && isCall) effort.remeasure();
      if (walked.has(part) || (isCall && typeof result === "string")) effort.walked(result);
      else effort.made(result);
    };
    expression.assign(Symbol.for("jsonata.__evaluate_entry"), enter);
    expression.assign(Symbol.for("jsonata.__evaluate_exit"), leave);
    expression.registerFunction("pad", boundedPad, "<s-ns?:s>");
    expression.registerFunction("distinct", distinct, "<x:x>");
    const value: unknown = await expression.evaluate(input);
    effort.remeasure();
    effort.made(value);
    // A plain copy: sequences carry marks of the library, and functions hold their surroundings.
    const text = JSON.stringify(value, (_, member: unknown) =>
      isFunction(member) ? undefined : member,
    );
    return { ok: true, value: text === undefined ? undefined : JSON.parse(text) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

/** The parts whose values somebody goes through: operands and arguments; and whether values are changed in place. */
function costly(tree: unknown): { walked: Set<unknown>; changes: boolean } {
  const walked = new Set<unknown>();
  let changes = false;
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const part: Part = node;
    if (part.type === "binary") walked.add(part.lhs).add(part.rhs);
    if (part.type === "apply") walked.add(part.lhs);
    if (part.type === "function" && Array.isArray(part.arguments))
      for (const argument of part.arguments) walked.add(argument);
    if (part.type === "transform") changes = true;
    for (const child of Object.values(node)) visit(child);
  };
  visit(tree);
  return { walked, changes };
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
