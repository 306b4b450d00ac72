import { describe, expect, it } from "vitest";
import { exampleSchema, flatVariables, portOptions } from "../../src/app-events/example-schema";

const $schema = "http://json-schema.org/draft-04/schema#";
const title = "App Event Data";
const B = '{"order":{"lines":[{"sku":"x","qty":2},{"sku":"y"}],"tags":["a"]},"matrix":[[1],[3]]}';

describe("the schema of an example", () => {
  it("tells the types of an object, its keys in order", () => {
    const schema = exampleSchema('{"email":"a@b","age":3,"note":null}');
    expect(schema).toEqual({
      $schema,
      title,
      type: "object",
      properties: { email: { type: "string" }, age: { type: "number" }, note: { type: "null" } },
    });
    expect(Object.keys(schema?.["properties"] ?? {})).toEqual(["email", "age", "note"]);
  });

  it("merges lists of objects and does not go down into lists of lists", () => {
    expect(exampleSchema(B)).toEqual({
      $schema,
      title,
      type: "object",
      properties: {
        order: {
          type: "object",
          properties: {
            lines: {
              type: "array",
              items: {
                type: "object",
                properties: { sku: { type: "string" }, qty: { type: "number" } },
                required: ["sku"],
              },
            },
            tags: { type: "array", items: { type: "string" } },
          },
        },
        matrix: { type: "array", items: { type: "array" } },
      },
    });
  });

  it("names a list at the root, and its items", () => {
    expect(exampleSchema('[{"id":1},{"id":2,"name":"n"}]')).toEqual({
      $schema,
      title: "App Event Data Set",
      type: "array",
      items: {
        type: "object",
        properties: { id: { type: "number" }, name: { type: "string" } },
        required: ["id"],
        title,
      },
    });
  });

  it("lists each type of a mixed list once, and nothing of an empty one", () => {
    expect(exampleSchema('{"a":[1,"x",2],"b":[]}')).toMatchObject({
      properties: {
        a: { type: "array", items: { oneOf: [{ type: "number" }, { type: "string" }] } },
        b: { type: "array", items: {} },
      },
    });
  });

  it("is absent when the example is absent or no JSON", () => {
    for (const example of [undefined, "", "{", 5])
      expect(portOptions(example)).toEqual([{ label: "Data", value: "data" }]);
  });

  it("flattens to one variable a node, elements of lists left out", () => {
    expect(flatVariables(exampleSchema(B)).map(({ path }) => path)).toEqual([
      "data",
      "data.order",
      "data.order.lines",
      "data.order.tags",
      "data.matrix",
    ]);
  });
});
