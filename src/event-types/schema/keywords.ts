import * as z from "zod";
import { isObject } from "../../values/record";

/** A schema within a schema, and where it stands: `["properties", "a"]`. */
export type Inner = { path: string[]; schema: unknown; keyword: string };

type Shape = "one" | "list" | "map";

/** Keywords that hold schemas of the very value that their own schema is of. */
const OF_THE_VALUE: Record<string, Shape> = Object.fromEntries([
  ...["allOf", "anyOf", "oneOf"].map((keyword) => [keyword, "list"] as const),
  ...["not", "if", "then", "else"].map((keyword) => [keyword, "one"] as const),
  ["dependentSchemas", "map"],
]);

/** Keywords that hold schemas: of the value, of what is within it, or of whoever refers to them. */
export const APPLICATORS: Record<string, Shape> = {
  ...OF_THE_VALUE,
  properties: "map",
  patternProperties: "map",
  additionalProperties: "one",
  unevaluatedProperties: "one",
  propertyNames: "one",
  items: "one",
  prefixItems: "list",
  contains: "one",
  unevaluatedItems: "one",
  $defs: "map",
  definitions: "map",
};

export const isOfTheValue = (keyword: string): boolean => Object.hasOwn(OF_THE_VALUE, keyword);

const MOST_CHOICES = 1_000;

const type = z.enum(["null", "boolean", "object", "array", "number", "string", "integer"]);
const count = z.number().int().nonnegative();
const names = z.array(z.string());

/** What other keywords that we check data by take. */
export const ASSERTIONS: Record<string, z.ZodType> = {
  $ref: z.string().regex(/^#(\/|$)/, "Expected a reference within this schema: # or #/…"),
  type: z.union([type, z.array(type).min(1)], `Expected ${type.options.join(", ")}`),
  enum: z.array(z.unknown()).min(1).max(MOST_CHOICES),
  const: z.unknown(),
  required: names,
  dependentRequired: z.record(z.string(), names),
  minimum: z.number(),
  maximum: z.number(),
  exclusiveMinimum: z.number(),
  exclusiveMaximum: z.number(),
  multipleOf: z.number().positive(),
  minLength: count,
  maxLength: count,
  pattern: z.string().max(1_000),
  format: z.string(),
  minItems: count,
  maxItems: count,
  uniqueItems: z.boolean(),
  minContains: count,
  maxContains: count,
  minProperties: count,
  maxProperties: count,
};

/** What says something to readers alone. */
const NOTES: Record<string, z.ZodType> = {
  title: z.string(),
  description: z.string(),
  $comment: z.string(),
  deprecated: z.boolean(),
  readOnly: z.boolean(),
  writeOnly: z.boolean(),
  examples: z.array(z.unknown()),
};

/** What would change what the other keywords mean, so that it can't be passed over as unknown keywords are. */
const REFUSED: Record<string, string> = {
  $anchor: "Anchors are not available: refer to #/$defs/…",
  $dynamicRef: "Dynamic references are not available",
  $dynamicAnchor: "Dynamic references are not available",
  $recursiveRef: "This is of draft 2019-09; expected draft 2020-12",
  $recursiveAnchor: "This is of draft 2019-09; expected draft 2020-12",
  $vocabulary: "This is for meta-schemas",
  additionalItems: "This is of draft 2019-09; draft 2020-12 has items beside prefixItems",
  dependencies:
    "This is of draft 7; draft 2020-12 has dependentRequired and dependentSchemas instead",
};

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

export type SchemaFault = { path: string[]; message: string };

/** The schemas that a schema holds, or those of one keyword. */
export function innerSchemas(schema: Record<string, unknown>, only?: string): Inner[] {
  const keywords = only === undefined ? Object.keys(APPLICATORS) : [only];
  return keywords.flatMap((keyword) => {
    const held = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
    if (held === undefined) return [];
    if (APPLICATORS[keyword] === "one") return { path: [keyword], schema: held, keyword };
    const named = typeof held === "object" && held !== null ? Object.entries(held) : [];
    return named.map(([name, inner]) => ({ path: [keyword, name], schema: inner, keyword }));
  });
}

/** Everything that is wrong with a schema as it is written, each by its path; what its references lead to is not looked at. */
export function* keywordFaults(schema: unknown, path: string[] = []): Generator<SchemaFault> {
  if (typeof schema === "boolean" && path.length > 0) return;
  if (!isObject(schema)) {
    yield { path, message: path.length === 0 ? "Expected an object" : "Expected a schema" };
    return;
  }
  for (const [keyword, value] of Object.entries(schema)) {
    const message = faultOf(keyword, value, path.length === 0);
    if (message !== undefined) yield { path: [...path, keyword], message };
  }
  for (const inner of innerSchemas(schema))
    yield* keywordFaults(inner.schema, [...path, ...inner.path]);
}

function faultOf(keyword: string, value: unknown, isRoot: boolean): string | undefined {
  if (Object.hasOwn(REFUSED, keyword)) return REFUSED[keyword];
  if (keyword === "$id" && !isRoot) return "Only the whole schema may have an id";
  if (keyword === "$schema" && value !== DIALECT && value !== `${DIALECT}#`)
    return `Expected ${DIALECT}`;
  const shape = Object.hasOwn(APPLICATORS, keyword) ? APPLICATORS[keyword] : undefined;
  if (shape === "list" && !(Array.isArray(value) && value.length > 0))
    return "Expected a list of schemas";
  if (shape === "map" && !isObject(value)) return "Expected an object of schemas";
  const expected = Object.hasOwn(ASSERTIONS, keyword)
    ? ASSERTIONS[keyword]
    : Object.hasOwn(NOTES, keyword)
      ? NOTES[keyword]
      : undefined;
  const issue = expected?.safeParse(value).error?.issues[0];
  return issue?.message;
}
