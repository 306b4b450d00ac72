import { readKeys } from "../../values/path";
import { isObject } from "../../values/record";
import type { Modifier, Transformation } from "../descriptor";
import { applyFunctions } from "../modifiers/apply";
import { stringOf } from "../modifiers/argument";
import { flowValue, type FlowValues } from "../modifiers/flow-values";
import { type Budget, newBudget } from "../modifiers/budget";
import { onlyPlaceholder, partsOf } from "../placeholder";
import { parsePath } from "../variable-path";

/** What a run has produced so far: component id → out port → content. */
export type Scope = Record<string, unknown>;

export type StepInput =
  | { ok: true; input: Record<string, unknown> }
  /** The message names the field. */
  | { ok: false; message: string };

const MOST_CHARACTERS = 4_194_304;
const MOST_DEPTH = 50;

/**
 * The input of a step (reference app-events-api.md §5): `json2new` is the mapped fields alone, `json2ext` lays
 * them over what the sender sent. With the scope `{T: {out: {data: {email: "a@b"}}}}` the mapping
 * `{"to": "{{{$.T.out.data.email}}}", "text": "Hello {{{$.T.out.data.email}}}"}` gives
 * `{"to": "a@b", "text": "Hello a@b"}`. A placeholder that finds nothing leaves its field out.
 */
export async function stepInput(
  transformation: Transformation | undefined,
  sent: unknown,
  scope: Scope,
  values: FlowValues,
): Promise<StepInput> {
  const content = isObject(sent) ? sent : {};
  if (transformation === undefined) return { ok: true, input: content };
  const charactersLeft = { count: MOST_CHARACTERS };
  const budget = newBudget();
  const mapped: [string, unknown][] = [];
  for (const [field, value] of Object.entries(transformation.lambda)) {
    const modifiers = modifiersOf(transformation, field);
    const context = { modifiers, scope, values, charactersLeft, budget, depth: 0 };
    try {
      const resolved = await resolve(value, context);
      if (resolved !== undefined) mapped.push([field, resolved]);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, message: `${field}: ${message}` };
    }
  }
  const fields = Object.fromEntries(mapped);
  return {
    ok: true,
    input: transformation.type === "json2ext" ? { ...content, ...fields } : fields,
  };
}

/** The modifiers of a field; those of a nested leaf may be listed under its dotted path (`body.name`). */
function modifiersOf({ modifiers }: Transformation, field: string): Record<string, Modifier> {
  const found = Object.entries(modifiers)
    .filter(([name]) => name === field || name.startsWith(`${field}.`))
    .flatMap(([, byId]) => Object.entries(byId));
  return Object.fromEntries(found);
}

type Context = {
  modifiers: Record<string, Modifier>;
  scope: Scope;
  values: FlowValues;
  /** Counts down what placeholders write, over all fields: a small mapping can't make a huge request. */
  charactersLeft: { count: number };
  budget: Budget;
  depth: number;
};

/** A mapped value with its placeholders replaced, in objects and lists at their leaves. */
async function resolve(value: unknown, context: Context): Promise<unknown> {
  if (context.depth > MOST_DEPTH) throw new Error(`Nested deeper than ${MOST_DEPTH}`);
  const inner = { ...context, depth: context.depth + 1 };
  if (typeof value === "string") return resolveText(value, context);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push((await resolve(item, inner)) ?? null);
    return items;
  }
  if (!isObject(value)) return value;
  const members: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const resolved = await resolve(member, inner);
    if (resolved !== undefined) members.push([key, resolved]);
  }
  return Object.fromEntries(members);
}

/**
 * A text that is one placeholder becomes its value, whatever its type; within other text the value is written
 * out. Placeholders in the value itself are data and stay as they are.
 */
async function resolveText(text: string, context: Context): Promise<unknown> {
  const only = onlyPlaceholder(text);
  if (only !== undefined) {
    const value = await lookUp(only, context);
    charge(context, typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
    return value;
  }
  const written: string[] = [];
  for (const part of partsOf(text)) {
    if ("literal" in part) {
      written.push(part.literal);
      continue;
    }
    const value = stringOf(await lookUp(part.name, context));
    charge(context, value);
    written.push(value);
  }
  return written.join("");
}

function charge({ charactersLeft }: Context, text: string): void {
  charactersLeft.count -= text.length;
  if (charactersLeft.count < 0)
    throw new Error(`The input is larger than ${MOST_CHARACTERS} characters`);
}

/** The value of a placeholder: a modifier's result, or the variable of that name. */
async function lookUp(name: string, { modifiers, scope, values, budget }: Context) {
  const modifier = Object.hasOwn(modifiers, name) ? modifiers[name] : undefined;
  if (modifier === undefined) return variable(name, scope, values);
  const start =
    modifier.variable === undefined ? undefined : variable(modifier.variable, scope, values);
  return applyFunctions(start, modifier.functions, values, budget);
}

function variable(name: string, scope: Scope, values: FlowValues): unknown {
  const keys = parsePath(name);
  return keys === undefined ? flowValue(name, values) : readKeys(scope, keys);
}
