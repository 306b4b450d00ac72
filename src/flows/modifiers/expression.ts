import { evaluate, expressionFault } from "../../expressions/evaluate";

/** Why an expression can't be used, or what went wrong in it. */
export class ExpressionFault extends Error {}

/** @throws ExpressionFault when `text` is no JSONata expression, or one whose cost or answer can't be relied on. */
export function checkExpression(text: string): void {
  const fault = expressionFault(text);
  if (fault !== undefined) throw new ExpressionFault(fault);
}

/**
 * The value of an expression over `input`. `spend` hears of every step; a long list counts as many.
 * @throws ExpressionFault when it fails or takes too much.
 */
export async function evaluateExpression(
  text: string,
  input: unknown,
  spend?: (steps: number) => void,
): Promise<unknown> {
  const evaluated = await evaluate(text, input, spend);
  if (!evaluated.ok) throw new ExpressionFault(evaluated.message);
  return evaluated.value;
}
