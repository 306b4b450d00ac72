import { describe, expect, it } from "vitest";
import { readKeys, readPath } from "../../src/values/path";

describe("readPath", () => {
  it.each<[string, unknown, string, unknown]>([
    ["reads a plain key", { id: 1 }, "id", 1],
    ["reads a dotted path", { user: { id: 1 } }, "user.id", 1],
    ["prefers the literal key", { "user.id": 2, user: { id: 1 } }, "user.id", 2],
    ["reads below a dotted key", { "a.b": { c: 3 } }, "a.b.c", 3],
    [
      "finds a dotted key inside a path",
      { properties: { "a.b": { value: 3 } } },
      "properties.a.b.value",
      3,
    ],
    [
      "goes on when a longer key leads nowhere",
      { "a.b": { x: 1 }, a: { b: { c: 2 } } },
      "a.b.c",
      2,
    ],
    ["keeps a literal null", { "a.b": null, a: { b: 1 } }, "a.b", null],
    ["reads a key that begins with a dot", { ".tag": "file" }, ".tag", "file"],
    ["reads into a list", { rows: [{ id: 4 }] }, "rows.0.id", 4],
    ["is the value itself by an empty path", [1], "", [1]],
    ["finds nothing that is not there", { user: null }, "user.id", undefined],
    ["finds nothing in null", null, "a", undefined],
    ["does not read inherited properties", {}, "constructor.name", undefined],
    ["does not read inherited members", {}, "toString", undefined],
    ["does not read inherited members of values", { a: "text" }, "a.length", undefined],
    ["finds nothing in a text", "text", "length", undefined],
  ])("%s", (_name, value, path, found) => {
    expect(readPath(value, path)).toEqual(found);
  });
});

describe("readKeys", () => {
  it.each<[string, unknown, string[], unknown]>([
    ["goes through objects and lists", { a: [{ "b.c": 1 }] }, ["a", "0", "b.c"], 1],
    ["is the value itself without keys", { a: 1 }, [], { a: 1 }],
    ["does not take a dot apart", { a: { b: 1 } }, ["a.b"], undefined],
    ["reads an own __proto__ only", JSON.parse('{"__proto__":7}'), ["__proto__"], 7],
    ["does not reach a prototype", { a: {} }, ["a", "constructor"], undefined],
    ["finds nothing below a text", { a: "text" }, ["a", "0"], undefined],
  ])("%s", (_name, value, keys, found) => {
    expect(readKeys(value, keys)).toEqual(found);
  });
});
