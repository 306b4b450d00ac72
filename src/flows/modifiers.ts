import { createHash } from "node:crypto";
import { RE2JS } from "re2js";
import { formatDate } from "./date-format";
import type { Modifier } from "./descriptor";
import { compileExpression, evaluateExpression } from "./expression";
import { parseRelativePath, readKeys } from "./path";

/** What a flow knows beside its data. Chance and clock are the run's own, so a retry sends the same. */
export type FlowValues = {
  now: number;
  /** A UUID derived from the run and a counter. */
  uuid: () => string;
  userId: string;
  flowId: string;
  flowName: string;
  webhookUrl: string;
  customFields: Record<string, unknown>;
};

/** A modifier that can't be applied: the message names it. */
export class ModifierFault extends Error {}

const MOST_CHARACTERS = 1_048_576;

type Parameters = Record<string, unknown>;
type Definition = {
  parameters: readonly string[];
  apply: (value: unknown, parameters: Parameters) => unknown;
  check?: (parameters: Parameters) => void;
};

const define = (
  parameters: readonly string[],
  apply: Definition["apply"],
  check?: Definition["check"],
): Definition => ({ parameters, apply, ...(check === undefined ? {} : { check }) });

/** Flow values: as a `variable`, or as the first function. */
const VALUES = new Map<string, (values: FlowValues) => unknown>([
  ["g_now", ({ now }) => new Date(now).toISOString()],
  ["g_timestamp", ({ now }) => now],
  ["g_uuid4", ({ uuid }) => uuid()],
  ["g_userId", ({ userId }) => userId],
  ["g_flowId", ({ flowId }) => flowId],
  ["g_flowName", ({ flowName }) => flowName],
  ["g_webhookUrl", ({ webhookUrl }) => webhookUrl],
  ["g_customFields", ({ customFields }) => customFields],
]);

/** The modifiers (reference `app-events-api.md` §5), and JSONata as `g_jsonata(expression)`. */
const MODIFIERS = new Map<string, Definition>([
  [
    "g_jsonPath",
    define(
      ["path"],
      (value, { path }) => readKeys(value, pathOf(path)),
      ({ path }) => void pathOf(path),
    ),
  ],
  [
    "g_jsonata",
    define(
      ["expression"],
      (value, { expression }) => evaluateExpression(text(expression), value),
      ({ expression }) => void compileExpression(text(expression)),
    ),
  ],
  [
    "g_stringify",
    define(["space"], (value, { space }) =>
      JSON.stringify(value, null, space === undefined ? 0 : Math.min(number(space), 10)),
    ),
  ],
  [
    "g_length",
    define([], (value) => {
      if (typeof value === "string" || Array.isArray(value)) return value.length;
      return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
    }),
  ],
  ["g_first", define([], (value) => list(value)[0])],
  ["g_last", define([], (value) => list(value).at(-1))],
  ["g_nthIndex", define(["index"], (value, { index }) => list(value).at(number(index)))],
  [
    "g_join",
    define(["separator"], (value, { separator }) => {
      const items = list(value).map(stringOf);
      const between = separator === undefined ? "," : text(separator);
      bounded(items.reduce((sum, item) => sum + item.length + between.length, 0));
      return items.join(between);
    }),
  ],
  [
    "g_split",
    define(["delimiter"], (value, { delimiter }) =>
      text(value).split(delimiter === undefined ? "," : text(delimiter)),
    ),
  ],
  ["g_flatten", define(["deep"], (value, { deep }) => list(value).flat(truthy(deep) ? 100 : 1))],
  [
    "g_deduplicate",
    define([], (value) => [
      ...new Map(list(value).map((item) => [JSON.stringify(item), item])).values(),
    ]),
  ],
  ["g_keys", define([], (value) => Object.keys(members(value)))],
  ["g_values", define([], (value) => Object.values(members(value)))],
  ["g_lowercase", define([], (value) => text(value).toLowerCase())],
  ["g_uppercase", define([], (value) => text(value).toUpperCase())],
  [
    "g_trim",
    define(["chars"], (value, { chars }) =>
      chars === undefined || chars === "" ? text(value).trim() : trimmed(text(value), text(chars)),
    ),
  ],
  [
    "g_truncate",
    define(["length", "omission"], (value, { length, omission }) => {
      const end = omission === undefined ? "..." : text(omission);
      const most = length === undefined ? 30 : number(length);
      const whole = text(value);
      return whole.length <= most
        ? whole
        : whole.slice(0, Math.max(0, most - end.length)) + end.slice(0, Math.max(0, most));
    }),
  ],
  [
    "g_replace",
    define(
      ["pattern", "replacer", "regex", "global", "multiline", "ignorecase"],
      (value, parameters) => replaced(text(value), parameters),
      (parameters) => void matcherOf(parameters),
    ),
  ],
  ["g_encodeUrl", define([], (value) => encodeURIComponent(text(value)))],
  [
    "g_decodeUrl",
    define([], (value) => {
      try {
        return decodeURIComponent(text(value));
      } catch {
        throw new ModifierFault(`'${text(value).slice(0, 100)}' is not percent-encoded`);
      }
    }),
  ],
  ["g_base64", define([], (value) => Buffer.from(text(value), "utf8").toString("base64"))],
  ["g_sha256", define([], (value) => createHash("sha256").update(text(value)).digest("hex"))],
  [
    "g_formatDate",
    define(["format"], (value, { format }) => {
      const at = typeof value === "number" ? value : Date.parse(text(value));
      if (Number.isNaN(at) || Math.abs(at) > 8.64e15)
        throw new ModifierFault(`'${text(value).slice(0, 100)}' is not a date`);
      return formatDate(at, format === undefined ? "YYYY-MM-DDTHH:mm:ss[Z]" : text(format));
    }),
  ],
  ["g_add", define(["second"], (value, { second }) => number(value) + number(second))],
  ["g_sub", define(["second"], (value, { second }) => number(value) - number(second))],
  ["g_mul", define(["second"], (value, { second }) => number(value) * number(second))],
  [
    "g_div",
    define(["second"], (value, { second }) => {
      if (number(second) === 0) throw new ModifierFault("Division by zero");
      return number(value) / number(second);
    }),
  ],
]);

/** What is wrong with a modifier before it ever runs; undefined when nothing is. */
export function modifierFault({ variable, functions }: Modifier): string | undefined {
  if (variable?.startsWith("g_") === true && !VALUES.has(variable))
    return `'${variable}' is not a flow value`;
  for (const [index, call] of functions.entries()) {
    if (VALUES.has(call.name) && index === 0) continue;
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

/** A flow value by its name; undefined when there is none of that name. */
export function flowValue(name: string, values: FlowValues): unknown {
  return VALUES.get(name)?.(values);
}

/**
 * Applies the functions in order. A missing value stays missing. @throws ModifierFault naming the function.
 */
export async function applyFunctions(
  start: unknown,
  functions: Modifier["functions"],
  values: FlowValues,
): Promise<unknown> {
  let value = start;
  for (const [index, call] of functions.entries()) {
    const source = index === 0 ? VALUES.get(call.name) : undefined;
    if (source !== undefined) {
      value = source(values);
      continue;
    }
    const definition = MODIFIERS.get(call.name);
    if (definition === undefined) throw new ModifierFault(`'${call.name}' is not a modifier`);
    if (value === undefined) return undefined;
    try {
      value = await definition.apply(value, parametersOf(definition, call));
    } catch (error) {
      throw new ModifierFault(
        `${call.name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return value;
}

/** Text as it stands inside other text: null as `null`, objects and lists as JSON. */
export function stringOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parametersOf(definition: Definition, call: Modifier["functions"][number]): Parameters {
  const positional = definition.parameters.flatMap((name, index) => {
    const parameter = call.params[index];
    return parameter === undefined ? [] : [[name, parameter.value] as const];
  });
  const named = Object.entries(call.hashParams).map(([name, { value }]) => [name, value] as const);
  return Object.fromEntries([...positional, ...named]);
}

function text(value: unknown): string {
  return stringOf(value);
}

function number(value: unknown): number {
  const found = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof found === "number" && Number.isFinite(found)) return found;
  throw new ModifierFault(`'${stringOf(value).slice(0, 100)}' is not a number`);
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ModifierFault("Expected a list");
}

function members(value: unknown): object {
  if (typeof value === "object" && value !== null) return value;
  throw new ModifierFault("Expected an object");
}

const truthy = (value: unknown): boolean => value === true || value === "true";

function pathOf(path: unknown): string[] {
  const keys = parseRelativePath(text(path).replace(/^\$/, ""));
  if (keys === undefined) throw new ModifierFault(`'${text(path).slice(0, 100)}' is not a path`);
  return keys;
}

function trimmed(whole: string, chars: string): string {
  const unwanted = new Set(chars);
  let from = 0;
  let to = whole.length;
  while (from < to && unwanted.has(whole.charAt(from))) from += 1;
  while (to > from && unwanted.has(whole.charAt(to - 1))) to -= 1;
  return whole.slice(from, to);
}

/** Regular expressions run on a linear-time engine: no pattern can take exponential time. */
function matcherOf({ pattern, multiline, ignorecase, regex }: Parameters): RE2JS {
  const flags =
    (truthy(multiline) ? RE2JS.MULTILINE : 0) | (truthy(ignorecase) ? RE2JS.CASE_INSENSITIVE : 0);
  const source = text(pattern);
  if (source.length > 1_000)
    throw new ModifierFault("Expected a pattern of at most 1000 characters");
  return RE2JS.compile(truthy(regex) ? source : RE2JS.quote(source), flags);
}

function replaced(whole: string, parameters: Parameters): string {
  const replacer = text(parameters["replacer"]);
  const literal = truthy(parameters["regex"]) ? replacer : RE2JS.quoteReplacement(replacer, false);
  bounded(whole.length * (1 + replacer.length));
  const matcher = matcherOf(parameters).matcher(whole);
  const all = parameters["global"] === undefined || truthy(parameters["global"]);
  return all ? matcher.replaceAll(literal, false) : matcher.replaceFirst(literal, false);
}

/** The most a result could have: refused before it is made. */
function bounded(characters: number): void {
  if (characters > MOST_CHARACTERS * 16)
    throw new ModifierFault(`The result could be larger than ${MOST_CHARACTERS * 16} characters`);
}
