/** Schema and variables of an event data example (reference app-events-api.md §4). */

import { parsedJson } from "../values/json";
import { isObject } from "../values/record";

export type Schema = { [member: string]: unknown };

const DIALECT = "http://json-schema.org/draft-04/schema#";
const TITLE = "App Event Data";
const DEEPEST = 100;

/** What an example says; undefined when it is absent, no JSON or too deep. */
export function exampleSchema(example: unknown): Schema | undefined {
  const parsed = typeof example === "string" ? parsedJson(example) : undefined;
  if (parsed === undefined) return undefined;
  const schema = schemaOf(parsed.value, 0);
  if (!Array.isArray(parsed.value)) return { $schema: DIALECT, title: TITLE, ...schema };
  const items = schema["items"];
  return {
    $schema: DIALECT,
    title: `${TITLE} Set`,
    ...schema,
    items: typeof items === "object" ? { ...items, title: TITLE } : { title: TITLE },
  };
}

function schemaOf(value: unknown, depth: number): Schema {
  if (Array.isArray(value)) return { type: "array", items: itemsOf(value, depth) };
  if (value === null) return { type: "null" };
  if (typeof value !== "object") return { type: typeof value };
  if (depth >= DEEPEST) return { type: "object" };
  return { type: "object", properties: propertiesOf([value], depth) };
}

/** The items of a list. Objects give one schema, which requires the members that all have; others give their types. */
function itemsOf(items: readonly unknown[], depth: number): Schema {
  if (items.length === 0) return {};
  if (items.every(isObject)) {
    const required = Object.keys(items[0] ?? {}).filter((key) =>
      items.every((item) => Object.hasOwn(item, key)),
    );
    if (depth >= DEEPEST) return { type: "object" };
    return { type: "object", properties: propertiesOf(items, depth), required };
  }
  const types = [...new Set(items.map(typeOf))];
  return types.length === 1 ? { type: types[0] } : { oneOf: types.map((type) => ({ type })) };
}

function propertiesOf(objects: readonly object[], depth: number): Schema {
  const properties = new Map<string, Schema>();
  for (const object of objects)
    for (const [key, value] of Object.entries(object)) {
      const before = properties.get(key);
      const schema = schemaOf(value, depth + 1);
      properties.set(key, before === undefined ? schema : merged(before, schema));
    }
  return Object.fromEntries(properties);
}

/** The schema of a member that several objects have: the first one's, and of objects the members of all. */
function merged(left: Schema, right: Schema): Schema {
  if (left["type"] !== right["type"] || left["type"] !== "object") return left;
  return { ...left, properties: { ...schemas(right), ...schemas(left) } };
}

function schemas({ properties }: Schema): Record<string, Schema> {
  return typeof properties === "object" && properties !== null
    ? Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [key, asSchema(value)] as const),
      )
    : {};
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

export type Variable = { path: string; label: string; type: string };

/** Every node of a schema, `data` first; objects and lists included, elements of lists not. */
export function flatVariables(schema: Schema | undefined): Variable[] {
  const variables: Variable[] = [];
  const visit = (path: string, label: string, node: Schema): void => {
    const type = node["type"];
    variables.push({ path, label, type: typeof type === "string" ? type : "object" });
    for (const [key, member] of Object.entries(schemas(node))) visit(`${path}.${key}`, key, member);
  };
  visit("data", "Data", schema ?? { type: "object" });
  return variables;
}

/** What the out port of `OnAppEvent` offers. */
export function portOptions(example: unknown): { label: string; value: string; schema?: Schema }[] {
  const schema = exampleSchema(example);
  return [{ label: "Data", value: "data", ...(schema === undefined ? {} : { schema }) }];
}
