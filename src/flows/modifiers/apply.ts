import type { Modifier } from "../descriptor";
import { ModifierFault } from "./argument";
import { type Definition, MODIFIERS, type Parameters } from "./catalog";
import { flowValue, type FlowValues, isFlowValue } from "./flow-values";
import type { Budget } from "./budget";

/** What is wrong with a modifier before it ever runs; undefined when nothing is. */
export function modifierFault({ variable, functions }: Modifier): string | undefined {
  if (variable?.startsWith("g_") === true && !isFlowValue(variable))
    return `'${variable}' is not a flow value`;
  for (const [index, call] of functions.entries()) {
    if (isFlowValue(call.name) && index === 0) continue;
    const definition = MODIFIERS.get(call.name);
    if (definition === undefined) return `'${call.name}' is not a modifier`;
    if (call.params.length > definition.parameters.length)
      return `'${call.name}' takes at most ${definition.parameters.length} parameters`;
    const unknown = Object.keys(call.hashParams).find(
      (name) => !definition.parameters.includes(name),
    );
    if (unknown !== undefined) return `'${call.name}' has no parameter '${unknown}'`;
    try {
      definition.check?.(parametersOf(definition, call));
    } catch (error) {
      return `'${call.name}': ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return undefined;
}

/**
 * Applies the functions in order. A missing value stays missing. @throws ModifierFault naming the function that
 * failed, or that the budget does not allow.
 */
export async function applyFunctions(
  start: unknown,
  functions: Modifier["functions"],
  values: FlowValues,
  budget: Budget,
): Promise<unknown> {
  let value = start;
  for (const [index, call] of functions.entries()) {
    if (index === 0 && isFlowValue(call.name)) {
      value = flowValue(call.name, values);
      continue;
    }
    const definition = MODIFIERS.get(call.name);
    if (definition === undefined) throw new ModifierFault(`'${call.name}' is not a modifier`);
    if (value === undefined) return undefined;
    try {
      budget.spend(sizeOf(value));
      value = await definition.apply(value, parametersOf(definition, call), budget);
    } catch (error) {
      throw new ModifierFault(
        `${call.name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return value;
}

function parametersOf(definition: Definition, call: Modifier["functions"][number]): Parameters {
  const positional = definition.parameters.flatMap((name, index) => {
    const parameter = call.params[index];
    return parameter === undefined ? [] : [[name, parameter.value] as const];
  });
  const named = Object.entries(call.hashParams).map(([name, { value }]) => [name, value] as const);
  return Object.fromEntries([...positional, ...named]);
}

/** About as many characters as a function has to look at. */
function sizeOf(value: unknown): number {
  return typeof value === "string" ? value.length : (JSON.stringify(value)?.length ?? 0);
}
