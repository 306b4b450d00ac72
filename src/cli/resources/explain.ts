import type { Definition } from "./definitions.ts";
import { isObject } from "../../values/record.ts";

/** What a kind is: where it may be, its spec's fields, its subresources; from the server's OpenAPI. */
export function explanation(
  definitions: readonly Definition[],
  openApi: Record<string, unknown>,
): string[] {
  const [first] = definitions;
  if (first === undefined) return [];
  const { group, version, kind, subResources } = first;
  // Words of scoped ones first: that is where such kinds mostly live.
  const words = new Set(
    definitions
      .toSorted(
        (left, right) =>
          Number(right.scopeKind !== undefined) - Number(left.scopeKind !== undefined),
      )
      .flatMap((definition) => definition.words),
  );
  const spec = specSchema(first, openApi);
  const scopes = definitions.map(({ scopeKind }) => scopeKind ?? "no scope");
  return [
    `kind:          ${kind}`,
    `group:         ${group}`,
    `version:       ${version}`,
    `words:         ${[...words].join(", ")}`,
    `scope:         ${scopes.join(", ")}`,
    `subresources:  ${subResources.length === 0 ? "x-…" : `${subResources.join(", ")}, x-…`}`,
    "spec:",
    ...(isObject(spec) ? fieldLines(spec, "  ") : []),
  ];
}

/** The schema of a kind's spec in the server's OpenAPI. */
export function specSchema(
  { group, version, kind }: Pick<Definition, "group" | "version" | "kind">,
  openApi: unknown,
): unknown {
  const components = isObject(openApi) ? openApi["components"] : undefined;
  const schemas = isObject(components) ? components["schemas"] : undefined;
  return isObject(schemas) ? schemas[`${group}.${version}.${kind}Spec`] : undefined;
}

function fieldLines(schema: Record<string, unknown>, indent: string): string[] {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties).flatMap(([name, inner]) => {
    const field = isObject(inner) ? inner : {};
    const preset = "default" in field ? ` (default ${JSON.stringify(field["default"])})` : "";
    const mark = required.includes(name) ? " (required)" : preset;
    return [
      `${indent}${name}: ${typeOf(field)}${mark}`,
      ...fieldLines(nested(field), `${indent}  `),
    ];
  });
}

function nested(field: Record<string, unknown>): Record<string, unknown> {
  const { items } = field;
  return isObject(items) ? items : field;
}

function typeOf(field: Record<string, unknown>): string {
  const { type, enum: values, items, anyOf } = field;
  if (Array.isArray(values)) return values.join(" | ");
  if (type === "array") return `list of ${isObject(items) ? typeOf(items) : "anything"}`;
  if (Array.isArray(anyOf)) return anyOf.filter(isObject).map(variant).join(" | ");
  return typeof type === "string" ? type : "anything";
}

function variant(schema: Record<string, unknown>): string {
  const properties = isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  if (properties.length === 0) return typeOf(schema);
  const members = properties.map(([name, inner]) => {
    const constant = isObject(inner) ? inner["const"] : undefined;
    return constant === undefined ? name : `${name}: ${JSON.stringify(constant)}`;
  });
  return `{${members.join(", ")}}`;
}
