import type { EventTypeView } from "../../event-types/event-type";
import type { Violation } from "../../http/refusal";
import { parsedJson } from "../../values/json";
import { readable } from "../parts";
import type { Faults } from "../settings/faults";

/** What is typed in the form of an event type; `conversions` by the older version. */
export type Typed = {
  name: string;
  description: string;
  schema: string;
  example: string;
  deprecated: boolean;
  conversions: Record<string, string>;
};

/** So many versions before the last one have a field, and all that have a conversion. */
const VERSIONS_SHOWN = 5;

export const NEW_TYPE: Typed = {
  name: "",
  description: "",
  schema: readable('{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}'),
  example: readable('{"id":"7"}'),
  deprecated: false,
  conversions: {},
};

export const typedOf = (type: EventTypeView): Typed => ({
  name: type.name,
  description: type.description,
  schema: type.schema === null ? "" : JSON.stringify(type.schema, null, 2),
  example: type.example === null ? "" : JSON.stringify(type.example, null, 2),
  deprecated: type.deprecated,
  conversions: type.conversions,
});

/** The versions that a conversion may be typed for: the present one is older as soon as the schema is another. */
export function versionsOf(version: number, { conversions }: Typed): number[] {
  const latest = Array.from({ length: Math.min(version, VERSIONS_SHOWN) }, (_, at) => version - at);
  return [...new Set([...latest, ...Object.keys(conversions).map(Number)])].toSorted(
    (a, b) => b - a,
  );
}

export function typedIn(form: URLSearchParams): Typed {
  const text = (name: string): string => form.get(name) ?? "";
  const conversions = [...form].flatMap(([name, value]) => {
    const [, version] = /^conversion-([1-9]\d{0,5})$/.exec(name) ?? [];
    return version === undefined || value.trim() === "" ? [] : [[version, value] as const];
  });
  return {
    name: text("name").trim(),
    description: text("description").trim(),
    schema: text("schema"),
    example: text("example"),
    deprecated: form.has("deprecated"),
    conversions: Object.fromEntries(conversions),
  };
}

/** What a form says as `/v1` takes it, and what of it is no JSON. */
export function definitionOf(
  typed: Typed,
): { ok: true; given: Record<string, unknown> } | { ok: false; faults: Faults } {
  const { schema, example, ...rest } = typed;
  const [readSchema, readExample] = [schema, example].map((text) =>
    text.trim() === "" ? { value: null } : parsedJson(text),
  );
  if (readSchema !== undefined && readExample !== undefined)
    return {
      ok: true,
      given: { ...rest, schema: readSchema.value, example: readExample.value },
    };
  const faults = {
    ...(readSchema === undefined ? { schema: NO_JSON } : {}),
    ...(readExample === undefined ? { example: NO_JSON } : {}),
  };
  return { ok: false, faults };
}

export const NO_JSON = "This is not JSON";

/** What is wrong, by the field of the form that it is typed in. */
export function faultsByField(violations: readonly Violation[]): Faults {
  const faults: Record<string, string> = {};
  for (const { field, message } of violations) {
    const [first = "", version = ""] = field.split(".");
    const name =
      first === "conversions" && version !== ""
        ? `conversion-${version}`
        : first === "version"
          ? ""
          : first;
    const inside = first === field || name !== first ? "" : `${field.slice(first.length + 1)}: `;
    const before = faults[name];
    faults[name] = `${before === undefined ? "" : `${before}; `}${inside}${message}`;
  }
  return faults;
}
