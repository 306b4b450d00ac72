import { isObject } from "../../values/record";
import type { EventTypeView } from "../event-type";
import { APPLICATORS, innerSchemas } from "../schema/keywords";

type Schema = Record<string, unknown>;

/**
 * JSON Schema of what a receiver gets for an event of a type, in the format `tributary` (reference v1-api.md).
 * @param at Where in the document it will stand, since a type's schema refers to its own parts from its own root.
 */
export function payloadOf(type: EventTypeView, at: string): Schema {
  const data = type.schema === null ? {} : movedTo(type.schema, `${at}/properties/data`);
  return {
    type: "object",
    ...(type.description === "" ? {} : { description: type.description }),
    ...(type.deprecated ? { deprecated: true } : {}),
    required: ["id", "type", "timestamp", "tenant", "data"],
    properties: {
      id: { type: "string", description: "The same at every try" },
      type: { const: type.name },
      timestamp: { type: "string", format: "date-time" },
      tenant: { type: ["string", "null"] },
      ...(type.builtIn ? OF_CONNECTORS : {}),
      data,
    },
  };
}

const OF_CONNECTORS = {
  source: { type: "string", description: "The account that changed" },
  object: {
    type: "object",
    required: ["type", "id"],
    properties: { type: { type: "string" }, id: { type: "string" } },
  },
};

/** What a receiver gets, as an example; absent without an example of the data. */
export function examplesOf({ name, example }: EventTypeView): { payload: unknown }[] {
  const timestamp = "2026-01-31T12:00:00.000Z";
  return example === null
    ? []
    : [{ payload: { id: "evt_1", type: name, timestamp, tenant: null, data: example } }];
}

/** A schema whose references are from the root of a document in which it stands at `at`. */
function movedTo(schema: Schema, at: string): Schema {
  const { $id: _, $schema: __, ...moved } = schema;
  if (typeof moved["$ref"] === "string") moved["$ref"] = `${at}${moved["$ref"].slice(1)}`;
  for (const [keyword, shape] of Object.entries(APPLICATORS)) {
    const inner = innerSchemas(schema, keyword).map(({ path, schema: one }) => {
      return [path.at(-1) ?? "", isObject(one) ? movedTo(one, at) : one] as const;
    });
    const [first] = inner;
    if (first === undefined) continue;
    const schemas = inner.map(([, one]) => one);
    moved[keyword] = { one: first[1], list: schemas, map: Object.fromEntries(inner) }[shape];
  }
  return moved;
}
