import type { Modifier, Transformation } from "./descriptor";
import { applyFunctions } from "./modifiers/apply";
import { stringOf } from "./modifiers/argument";
import { flowValue, type FlowValues } from "./modifiers/flow-values";
import { newWork, type Work } from "./modifiers/budget";
import { parsePath } from "./variable-path";
import { isObject } from "../values/record";
import { readKeys } from "../values/path";

/** What a run knows so far: component id → out port → content. */
export type Scope = Record<string, unknown>;

const PLACEHOLDER = /\{\{\{([^{}]+)\}\}\}/g;
const WHOLE = /^\{\{\{([^{}]+)\}\}\}$/;
const MOST_CHARACTERS = 4_194_304;
const MOST_DEPTH = 50;

/** An input that can't be made: the message names the field. */
export class TransformFault extends Error {}

/** Placeholder ids in the text of a lambda. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].flatMap(([, id]) => (id === undefined ? [] : [id.trim()]));
}

/** A text with the same words in the place of every placeholder. */
export function withPlaceholders(text: string, words: string): string {
  return text.replace(PLACEHOLDER, words);
}

/**
 * The input of a step (reference app-events-api.md §5): `json2new` is the mapped fields alone,
 * `json2ext` lays them over what the sender sent. @throws TransformFault naming the field.
 */
export async function transformed(
  transformation: Transformation | undefined,
  sent: unknown,
  scope: Scope,
  values: FlowValues,
): Promise<Record<string, unknown>> {
  const content = isObject(sent) ? sent : {};
  if (transformation === undefined) return content;
  const budget = { left: MOST_CHARACTERS };
  const work = newWork();
  const entries: [string, unknown][] = [];
  for (const [field, value] of Object.entries(transformation.lambda)) {
    try {
      const resolved = await resolve(value, {
        modifiers: ownModifiers(transformation, field),
        scope,
        values,
        budget,
        work,
        depth: 0,
      });
      if (resolved !== undefined) entries.push([field, resolved]);
    } catch (error) {
      throw new TransformFault(
        `${field}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  const mapped = Object.fromEntries(entries);
  return transformation.type === "json2ext" ? { ...content, ...mapped } : mapped;
}

type Resolving = {
  modifiers: Record<string, Modifier>;
  scope: Scope;
  values: FlowValues;
  budget: { left: number };
  work: Work;
  depth: number;
};

async function resolve(value: unknown, context: Resolving): Promise<unknown> {
  if (context.depth > MOST_DEPTH) throw new TransformFault(`Nested deeper than ${MOST_DEPTH}`);
  const inner = { ...context, depth: context.depth + 1 };
  if (typeof value === "string") return resolveText(value, context);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push((await resolve(item, inner)) ?? null);
    return items;
  }
  if (!isObject(value)) return value;
  const entries: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const resolved = await resolve(member, inner);
    if (resolved !== undefined) entries.push([key, resolved]);
  }
  return Object.fromEntries(entries);
}

/** A whole-string placeholder keeps its type; inside text it is written out. Values are not expanded again. */
async function resolveText(text: string, context: Resolving): Promise<unknown> {
  const whole = WHOLE.exec(text)?.[1];
  if (whole !== undefined) {
    const value = await lookUp(whole.trim(), context);
    spend(context, typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
    return value;
  }
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    const value = stringOf(await lookUp(match[1]?.trim() ?? "", context));
    parts.push(text.slice(from, match.index), value);
    spend(context, value);
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return parts.join("");
}

/** Keeps a small template from making a huge request. */
function spend({ budget }: Resolving, text: string): void {
  budget.left -= text.length;
  if (budget.left < 0)
    throw new TransformFault(`The input is larger than ${MOST_CHARACTERS} characters`);
}

async function lookUp(id: string, { modifiers, scope, values, work }: Resolving): Promise<unknown> {
  const modifier = Object.hasOwn(modifiers, id) ? modifiers[id] : undefined;
  if (modifier === undefined) return variable(id, scope, values);
  const start =
    modifier.variable === undefined ? undefined : variable(modifier.variable, scope, values);
  return applyFunctions(start, modifier.functions, values, work);
}

function variable(name: string, scope: Scope, values: FlowValues): unknown {
  const keys = parsePath(name);
  return keys === undefined ? flowValue(name, values) : readKeys(scope, keys);
}

/** Modifiers of a field; those of a nested leaf may stand under its dotted path. */
function ownModifiers({ modifiers }: Transformation, field: string): Record<string, Modifier> {
  const own = Object.entries(modifiers)
    .filter(([name]) => name === field || name.startsWith(`${field}.`))
    .flatMap(([, byId]) => Object.entries(byId));
  return Object.fromEntries(own);
}
