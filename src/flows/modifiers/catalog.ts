import { formatDate } from "./date-format";
import { checkExpression, evaluateExpression } from "./expression";
import { list, members, ModifierFault, number, pathOf, stringOf, truthy } from "./argument";
import { matcherOf, replaced } from "./replace";
import type { Budget } from "./budget";
import { readKeys } from "../../values/path";
import { sha256 } from "../../values/bytes";

/** A step of an expression costs as much as looking at so many characters. */
const CHARACTERS_A_STEP = 200;

export type Parameters = Record<string, unknown>;
export type Definition = {
  parameters: readonly string[];
  apply: (value: unknown, parameters: Parameters, budget: Budget) => unknown;
  check?: (parameters: Parameters) => void;
};

const define = (
  parameters: readonly string[],
  apply: Definition["apply"],
  check?: Definition["check"],
): Definition => ({ parameters, apply, ...(check === undefined ? {} : { check }) });

/** The modifiers (reference app-events-api.md §5), and JSONata as `g_jsonata(expression)`. */
export const MODIFIERS = new Map<string, Definition>([
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
      (value, { expression }, budget) =>
        evaluateExpression(stringOf(expression), value, (steps) =>
          budget.spend(steps * CHARACTERS_A_STEP),
        ),
      ({ expression }) => checkExpression(stringOf(expression)),
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
    define(["separator"], (value, { separator }, budget) => {
      const items = list(value).map(stringOf);
      const between = separator === undefined ? "," : stringOf(separator);
      budget.spend(items.reduce((sum, item) => sum + item.length + between.length, 0));
      return items.join(between);
    }),
  ],
  [
    "g_split",
    define(["delimiter"], (value, { delimiter }) =>
      stringOf(value).split(delimiter === undefined ? "," : stringOf(delimiter)),
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
  ["g_lowercase", define([], (value) => stringOf(value).toLowerCase())],
  ["g_uppercase", define([], (value) => stringOf(value).toUpperCase())],
  [
    "g_trim",
    define(["chars"], (value, { chars }) =>
      chars === undefined || chars === ""
        ? stringOf(value).trim()
        : trimmed(stringOf(value), stringOf(chars)),
    ),
  ],
  [
    "g_truncate",
    define(["length", "omission"], (value, { length, omission }) => {
      const end = omission === undefined ? "..." : stringOf(omission);
      const most = length === undefined ? 30 : number(length);
      const whole = stringOf(value);
      return whole.length <= most
        ? whole
        : whole.slice(0, Math.max(0, most - end.length)) + end.slice(0, Math.max(0, most));
    }),
  ],
  [
    "g_replace",
    define(
      ["pattern", "replacer", "regex", "global", "multiline", "ignorecase"],
      (value, parameters, budget) => replaced(stringOf(value), parameters, budget),
      (parameters) => void matcherOf(parameters),
    ),
  ],
  ["g_encodeUrl", define([], (value) => encodeURIComponent(stringOf(value)))],
  [
    "g_decodeUrl",
    define([], (value) => {
      try {
        return decodeURIComponent(stringOf(value));
      } catch {
        throw new ModifierFault(`'${stringOf(value).slice(0, 100)}' is not percent-encoded`);
      }
    }),
  ],
  ["g_base64", define([], (value) => Buffer.from(stringOf(value), "utf8").toString("base64"))],
  ["g_sha256", define([], (value) => sha256(stringOf(value), "hex"))],
  [
    "g_formatDate",
    define(["format"], (value, { format }) => {
      const at = typeof value === "number" ? value : Date.parse(stringOf(value));
      if (Number.isNaN(at) || Math.abs(at) > 8.64e15)
        throw new ModifierFault(`'${stringOf(value).slice(0, 100)}' is not a date`);
      return formatDate(at, format === undefined ? "YYYY-MM-DDTHH:mm:ss[Z]" : stringOf(format));
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

function trimmed(whole: string, chars: string): string {
  const unwanted = new Set(chars);
  let from = 0;
  let to = whole.length;
  while (from < to && unwanted.has(whole.charAt(from))) from += 1;
  while (to > from && unwanted.has(whole.charAt(to - 1))) to -= 1;
  return whole.slice(from, to);
}
