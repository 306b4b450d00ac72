import { evaluate } from "../../expressions/evaluate";
import { expressionFault } from "../../expressions/syntax";
import { ModifierFault } from "./argument";

/** @throws ModifierFault when `text` is no JSONata expression, or one whose cost or answer can't be relied on. */
export function checkExpression(text: string): void {
  const fault = expressionFault(text);
  if (fault !== undefined) throw new ModifierFault(fault);
}

/**
 * The value of an expression over `input`. `spend` is called with the steps taken; a long list counts as many.
 * @throws ModifierFault when it fails or costs too much.
 */
export async function evaluateExpression(
  text: string,
  input: unknown,
  spend?: (steps: number) => void,
): Promise<unknown> {
  const evaluated = await evaluate(text, input, spend);
  if (!evaluated.ok) throw new ModifierFault(evaluated.message);
  return evaluated.value;
}
