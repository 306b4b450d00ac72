import jsonata from "jsonata";
import { jsonValue } from "../values/json";
import { EvaluationBudget, isFunction } from "./budget";
import { LinearEngine } from "./linear-regex";
import { expressionFault, messageOf, MOST_ITEMS } from "./syntax";

declare module "jsonata" {
  interface Expression {
    /** JSONata calls functions assigned to two symbols when it begins and ends evaluating a part. */
    assign(name: symbol, value: unknown): void;
  }
}

const MOST_DEPTH = 150;
/** `$pad` makes much of little: its width is bounded before it runs. */
const MOST_PAD = 10_000;

export type Evaluated = { ok: true; value: unknown } | { ok: false; message: string };

/** What JSONata calls with each part of the syntax tree that it has evaluated. */
type Part = {
  type?: unknown;
  value?: unknown;
  arguments?: unknown;
  lhs?: unknown;
  rhs?: unknown;
};

/**
 * Runs a user's JSONata expression: filters, transforms and modifiers. A Worker's clock stands still while code
 * runs, so no timeout could stop an expression; it is bounded by its steps, its depth, and the sizes of values
 * instead (`budget.ts`). The same expression over the same input gives the same value.
 * @param spend is called with every step; what it throws ends the evaluation.
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
    const budget = new EvaluationBudget(input, spend);
    const { walked, changesValues } = costsOf(expression.ast());
    const enter = (): void => budget.step();
    const leave = (part: Part, _: unknown, __: unknown, result: unknown): void => {
      const isCall = part.type === "function" || part.type === "apply";
      if (changesValues && isCall) budget.remeasure();
      if (walked.has(part) || (isCall && typeof result === "string")) budget.walked(result);
      else budget.made(result);
    };
    expression.assign(Symbol.for("jsonata.__evaluate_entry"), enter);
    expression.assign(Symbol.for("jsonata.__evaluate_exit"), leave);
    expression.registerFunction("pad", boundedPad, "<s-ns?:s>");
    expression.registerFunction("distinct", distinct, "<x:x>");
    expression.registerFunction("clone", clone, "<(oa)-:o>");
    const value: unknown = await expression.evaluate(input);
    budget.remeasure();
    budget.made(value);
    // A plain copy: sequences carry marks of the library, and functions hold their surroundings.
    const text = JSON.stringify(value, (_, member: unknown) =>
      isFunction(member) ? undefined : member,
    );
    return { ok: true, value: text === undefined ? undefined : jsonValue(text) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

/**
 * What makes evaluating costly: `walked` are the parts whose values are gone through once more after they were made,
 * which are operands and arguments; `changesValues` says that a transform may change values in place.
 */
function costsOf(tree: unknown): { walked: Set<unknown>; changesValues: boolean } {
  const walked = new Set<unknown>();
  let changesValues = false;
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const part: Part = node;
    if (part.type === "binary") walked.add(part.lhs).add(part.rhs);
    if (part.type === "apply") walked.add(part.lhs);
    if (part.type === "function" && Array.isArray(part.arguments))
      for (const argument of part.arguments) walked.add(argument);
    if (part.type === "transform") changesValues = true;
    for (const child of Object.values(node)) visit(child);
  };
  visit(tree);
  return { walked, changesValues };
}

function boundedPad(text: string, width: number, char = " "): string {
  if (Math.abs(width) > MOST_PAD) throw new Error(`$pad: More than ${MOST_PAD} characters`);
  return width < 0 ? text.padStart(-width, char) : text.padEnd(width, char);
}

/** What a transform (`|…|…|`) changes. */
function clone(value: unknown): unknown {
  return jsonValue(JSON.stringify(value));
}

function distinct(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return [
    ...new Map(
      value.map((item: unknown): [string, unknown] => [JSON.stringify(item) ?? "", item]),
    ).values(),
  ];
}
