import type { Schema } from "@cfworker/json-schema";
import { keepsDigits } from "../../values/digits";
import type { Work } from "./work";

type Node = Schema | boolean;
/** Whether a value is surely what a schema says; `false` is no answer. */
export type Quick = (value: unknown, work: Work) => boolean;

const YES: Quick = () => true;
const UNSURE: Quick = () => false;

/** Of these it is not known by a yes alone. */
const UNSURE_OF = ["not", "oneOf", "if", "unevaluatedProperties", "unevaluatedItems"];

/**
 * What tells in a tenth of the library's time that a value is right, which most are: the library makes the path of each
 * member before it knows of a fault. What it doesn't say yes to the library looks at.
 *
 * @param about `refer`: what a reference names; `textOf`: what is asked of texts by a `format`; `weigh`: what a schema costs.
 */
export function quickCheck(
  root: Node,
  about: {
    refer: (node: Schema) => Node | undefined;
    textOf: (format: string) => ((text: string, work: Work) => boolean) | undefined;
    weigh: (node: Schema) => number;
  },
): Quick {
  const made = new Map<Schema, Quick>();
  const quick = (node: Node): Quick => {
    if (typeof node === "boolean") return node ? YES : UNSURE;
    const known = made.get(node);
    if (known !== undefined) return known;
    // Schemas refer to one another in circles.
    let inner = UNSURE;
    const check: Quick = (value, work) => inner(value, work);
    made.set(node, check);
    inner = checkOf(node);
    return check;
  };
  const checkOf = (node: Schema): Quick => {
    const hasOwnNames = Object.getOwnPropertyDescriptor(node, "properties")?.get !== undefined;
    if (hasOwnNames || UNSURE_OF.some((keyword) => node[keyword] !== undefined)) return UNSURE;
    const weight = about.weigh(node);
    const checks = [
      ...ofAll(node, quick, about.refer(node)),
      ...(node.format === undefined ? [] : ofTexts(about.textOf(node.format))),
      ...ofNumbers(node),
      ...ofObjects(node, quick),
      ...ofLists(node, quick),
    ];
    return (value, work) => {
      work.spend(weight);
      for (const check of checks) if (!check(value, work)) return false;
      return true;
    };
  };
  return quick(root);
}

type Make = (node: Node) => Quick;

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value;

function* ofAll(node: Schema, quick: Make, referred: Node | undefined): Generator<Quick> {
  const { type, enum: choices, allOf, anyOf } = node;
  if (type !== undefined) {
    const types = new Set<string>([type].flat());
    yield (value) => types.has(typeOf(value)) || (types.has("integer") && Number.isInteger(value));
  }
  // Of lists and objects only the library knows which are the same.
  const primitives = (of: readonly unknown[]): Quick => {
    const all = new Set(of);
    return (value) => (typeof value !== "object" || value === null) && all.has(value);
  };
  if (choices !== undefined) yield primitives(choices);
  if (node.const !== undefined) yield primitives([node.const]);
  if (node.$ref !== undefined) yield referred === undefined ? UNSURE : quick(referred);
  for (const one of allOf ?? []) yield quick(one);
  if (anyOf !== undefined) {
    const any = anyOf.map(quick);
    yield (value, work) => any.some((check) => check(value, work));
  }
}

function* ofTexts(check: ReturnType<Parameters<typeof quickCheck>[1]["textOf"]>): Generator<Quick> {
  yield (value, work) => typeof value !== "string" || check?.(value, work) === true;
}

function* ofNumbers({
  minimum = -Infinity,
  maximum = Infinity,
  exclusiveMinimum,
  exclusiveMaximum,
  multipleOf,
}: Schema): Generator<Quick> {
  const [above, below] = [
    Number(exclusiveMinimum ?? -Infinity),
    Number(exclusiveMaximum ?? Infinity),
  ];
  if (minimum !== -Infinity || maximum !== Infinity)
    yield (value) => typeof value !== "number" || (value >= minimum && value <= maximum);
  if (above !== -Infinity || below !== Infinity)
    yield (value) => typeof value !== "number" || (value > above && value < below);
  if (multipleOf !== undefined) {
    const isMultiple = multiplesOf(multipleOf);
    yield (value) => typeof value !== "number" || isMultiple(value);
  }
}

/** Below this, a decimal number times a power of ten that makes it whole is exact once it is rounded. */
const MOST_SCALED = 2 ** 50;

/** Decimal numbers, as they are written: 0.07 is a multiple of 0.01. */
function multiplesOf(divisor: number): (value: number) => boolean {
  const places = placesOf(divisor);
  const scale = 10 ** places;
  const whole = Math.round(divisor * scale);
  return (value) => {
    const scaled = Math.round(value * scale);
    return placesOf(value) <= places && Math.abs(scaled) < MOST_SCALED && scaled % whole === 0;
  };
}

/** Digits after the point; infinitely many where a power of ten stands in their place. */
function placesOf(value: number): number {
  const text = `${value}`;
  if (text.includes("e")) return Infinity;
  const point = text.indexOf(".");
  return point === -1 ? 0 : text.length - point - 1;
}

/** Checks of an object and the names of its members. */
type OfObject = (value: Record<string, unknown>, names: readonly string[], work: Work) => boolean;

function* ofObjects(node: Schema, quick: Make): Generator<Quick> {
  const checks = [...ofMembers(node, quick)];
  if (checks.length === 0) return;
  yield (value, work) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return true;
    // Of numbers that no double holds: the library gets a copy.
    if (keepsDigits(value)) return false;
    const names = Object.keys(value);
    work.spend(names.length / 8);
    return checks.every((check) => check(value as Record<string, unknown>, names, work));
  };
}

function* ofMembers(node: Schema, quick: Make): Generator<OfObject> {
  const { required = [], minProperties = 0, maxProperties = Infinity, propertyNames } = node;
  const { properties = {}, additionalProperties, dependentRequired, dependentSchemas } = node;
  const own = new Map(Object.entries(properties).map(([name, inner]) => [name, quick(inner)]));
  const others = additionalProperties === undefined ? YES : quick(additionalProperties);
  if (own.size > 0 || others !== YES)
    yield (value, names, work) =>
      names.every((name) => (own.get(name) ?? others)(value[name], work));
  if (required.length > 0) yield (value) => required.every((name) => Object.hasOwn(value, name));
  if (minProperties > 0 || maxProperties !== Infinity)
    yield (_, { length }) => length >= minProperties && length <= maxProperties;
  if (propertyNames !== undefined) {
    const check = quick(propertyNames);
    yield (_, names, work) => names.every((name) => check(name, work));
  }
  for (const [name, needed] of Object.entries(dependentRequired ?? {}))
    yield (value) =>
      !Object.hasOwn(value, name) || needed.every((other) => Object.hasOwn(value, other));
  for (const [name, inner] of Object.entries(dependentSchemas ?? {})) {
    const check = quick(inner);
    yield (value, _, work) => !Object.hasOwn(value, name) || check(value, work);
  }
}

function* ofLists(node: Schema, quick: Make): Generator<Quick> {
  const { prefixItems = [], items, minItems = 0, maxItems = Infinity, uniqueItems } = node;
  const { contains, minContains = 1, maxContains } = node;
  const hasAny = [items, contains, uniqueItems].some((one) => one !== undefined);
  if (!hasAny && prefixItems.length === 0 && minItems === 0 && maxItems === Infinity) return;
  const first = prefixItems.map(quick);
  const others = items === undefined || Array.isArray(items) ? YES : quick(items);
  const contained = contains === undefined ? undefined : quick(contains);
  yield (value, work) => {
    if (!Array.isArray(value)) return true;
    if (keepsDigits(value) || value.length < minItems || value.length > maxItems) return false;
    work.spend(value.length / 8);
    if (!value.every((item, at) => (first[at] ?? others)(item, work))) return false;
    if (uniqueItems === true && !areDistinct(value)) return false;
    if (contained === undefined) return true;
    if (maxContains !== undefined || value.length === 0) return false;
    return value.filter((item) => contained(item, work)).length >= minContains;
  };
}

/** Of lists and objects only the library knows. */
const areDistinct = (items: readonly unknown[]): boolean =>
  items.every((item) => typeof item !== "object" || item === null) &&
  new Set(items).size === items.length;
