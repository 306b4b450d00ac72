import jsonata from "jsonata";
import { quoted } from "../values/text";
import { LinearRegExp } from "./linear-regex";

const MOST_SOURCE = 16_384;
/** A list that an expression makes may have so many items. */
export const MOST_ITEMS = 10_000;

/** Functions whose answer differs from try to try, or that run text as code. */
const REFUSED = new Set(["now", "millis", "random", "shuffle", "eval"]);

/**
 * What is wrong with an expression before it is ever run; undefined when nothing is. Refused is what could not be
 * bounded while it runs, or gives another answer at the next try.
 */
export function expressionFault(source: string): string | undefined {
  if (source.length > MOST_SOURCE) return `Expected at most ${MOST_SOURCE} characters`;
  try {
    return syntaxFault(jsonata(source).ast());
  } catch (error) {
    return `Not a JSONata expression: ${quoted(messageOf(error))}`;
  }
}

/** Looks through the syntax tree for functions, ranges and patterns that are refused. */
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
    void new LinearRegExp(pattern);
    return undefined;
  } catch (error) {
    return `Pattern ${quoted(String(pattern))}: ${quoted(messageOf(error))}`;
  }
}

/** JSONata throws plain objects with a message. */
export function messageOf(error: unknown): string {
  if (
    typeof error === "object" &&
    error !== null &&
    "message" in error &&
    typeof error.message === "string"
  )
    return error.message;
  return String(error);
}
