import { copyDigits, digitsOf, keepDigits } from "../../values/digits";
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
  const mapped = new Map<string, Found>();
  for (const [field, value] of Object.entries(transformation.lambda)) {
    const modifiers = modifiersOf(transformation, field);
    const context = { modifiers, scope, values, charactersLeft, budget, depth: 0 };
    try {
      const resolved = await resolve({ value, digits: undefined }, context);
      if (resolved.value !== undefined) mapped.set(field, resolved);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, message: `${field}: ${message}` };
    }
  }
  const fields = objectOf(mapped);
  const isLaidOver = transformation.type === "json2ext";
  const input = isLaidOver ? copyDigits(content, { ...content, ...fields }) : fields;
  return { ok: true, input: copyDigits(fields, input) };
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

/** A value, and how it is written where that is not how JavaScript would write it (`1.10`, `1e400`). */
type Found = { value: unknown; digits: string | undefined };

const plain = (value: unknown): Found => ({ value, digits: undefined });

const memberOf = (holder: object, key: string): Found => ({
  value: Reflect.get(holder, key),
  digits: digitsOf(holder, key),
});

function objectOf(members: ReadonlyMap<string, Found>): Record<string, unknown> {
  const object = Object.fromEntries([...members].map(([key, { value }]) => [key, value]));
  for (const [key, { digits }] of members)
    if (digits !== undefined) keepDigits(object, key, digits);
  return object;
}

/** A mapped value with its placeholders replaced, in objects and lists at their leaves. */
async function resolve(mapped: Found, context: Context): Promise<Found> {
  const { value } = mapped;
  if (context.depth > MOST_DEPTH) throw new Error(`Nested deeper than ${MOST_DEPTH}`);
  const inner = { ...context, depth: context.depth + 1 };
  if (typeof value === "string") return resolveText(value, context);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const index of value.keys()) {
      const item = await resolve(memberOf(value, String(index)), inner);
      items.push(item.value ?? null);
      if (item.digits !== undefined) keepDigits(items, String(index), item.digits);
    }
    return plain(items);
  }
  if (!isObject(value)) return mapped;
  const members = new Map<string, Found>();
  for (const key of Object.keys(value)) {
    const resolved = await resolve(memberOf(value, key), inner);
    if (resolved.value !== undefined) members.set(key, resolved);
  }
  return plain(objectOf(members));
}

/**
 * A text that is one placeholder becomes its value, whatever its type; within other text the value is written
 * out. Placeholders in the value itself are data and stay as they are.
 */
async function resolveText(text: string, context: Context): Promise<Found> {
  const only = onlyPlaceholder(text);
  if (only !== undefined) {
    const found = await lookUp(only, context);
    charge(context, written(found));
    return found;
  }
  const parts: string[] = [];
  for (const part of partsOf(text)) {
    if ("literal" in part) {
      parts.push(part.literal);
      continue;
    }
    const text = written(await lookUp(part.name, context));
    charge(context, text);
    parts.push(text);
  }
  return plain(parts.join(""));
}

const written = ({ value, digits }: Found): string => digits ?? stringOf(value);

function charge({ charactersLeft }: Context, text: string): void {
  charactersLeft.count -= text.length;
  if (charactersLeft.count < 0)
    throw new Error(`The input is larger than ${MOST_CHARACTERS} characters`);
}

/** The value of a placeholder: a modifier's result, or the variable of that name. */
async function lookUp(name: string, { modifiers, scope, values, budget }: Context): Promise<Found> {
  const modifier = Object.hasOwn(modifiers, name) ? modifiers[name] : undefined;
  if (modifier === undefined) return variable(name, scope, values);
  const start =
    modifier.variable === undefined ? undefined : variable(modifier.variable, scope, values).value;
  return plain(await applyFunctions(start, modifier.functions, values, budget));
}

function variable(name: string, scope: Scope, values: FlowValues): Found {
  const keys = parsePath(name);
  if (keys === undefined) return plain(flowValue(name, values));
  const [holder, key] = [readKeys(scope, keys.slice(0, -1)), keys.at(-1)];
  const value = readKeys(scope, keys);
  const isMember = typeof holder === "object" && holder !== null && key !== undefined;
  return { value, digits: isMember ? digitsOf(holder, key) : undefined };
}
