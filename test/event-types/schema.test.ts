import { describe, expect, it } from "vitest";
import { newType } from "../../src/event-types/definition";
import { type DataFault, faultsOf } from "../../src/event-types/event-type";
import { faultsOf as faultsIn } from "../../src/http/faults";
import { jsonValue } from "../../src/values/json";

type Schema = Record<string, unknown>;

/** What is wrong with data, as `path: message`. */
const wrong = (schema: Schema, data: unknown): string[] =>
  faultsOf({ schema }, data).map(({ path, message }) => `${path}: ${message}`);

/** What is wrong with a schema when it is saved, as `field: message`. */
const refused = (schema: unknown): string[] => {
  const { error } = newType.safeParse({ name: "a", schema });
  return error === undefined
    ? []
    : faultsIn(error).map(({ field, message }) => `${field}: ${message}`);
};

const order: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  required: ["id", "lines"],
  additionalProperties: false,
  properties: {
    id: { type: "string", pattern: "^[A-Z]{2}-[0-9]+$", maxLength: 12 },
    at: { type: "string", format: "date-time" },
    state: { enum: ["open", "paid"] },
    total: { type: "number", minimum: 0, multipleOf: 0.01 },
    by: { anyOf: [{ type: "string" }, { type: "object", required: ["name"] }] },
    tags: { type: "array", uniqueItems: true, items: { type: "string" } },
    lines: { type: "array", minItems: 1, items: { $ref: "#/$defs/line" } },
    notes: {
      type: "object",
      patternProperties: { "^x-": { type: "string" } },
      additionalProperties: false,
    },
  },
  $defs: {
    line: {
      type: "object",
      required: ["sku"],
      properties: {
        sku: { type: "string", minLength: 1 },
        parts: { type: "array", items: { $ref: "#/$defs/line" } },
      },
    },
  },
};
const good = { id: "AB-1", lines: [{ sku: "a", parts: [{ sku: "b" }] }] };

describe("data of a type with a schema", () => {
  it("is right, or each thing that is wrong has its path", () => {
    const table: [change: object, ...faults: string[]][] = [
      [{}],
      [
        {
          at: "2026-01-31T12:00:00Z",
          state: "paid",
          total: 12.34,
          by: { name: "A" },
          tags: ["a", "b"],
        },
      ],
      [{ notes: { "x-a": "1" } }],
      [{ id: 7 }, "id: Expected string, got number"],
      [
        { id: undefined, lines: undefined },
        "id: This field is missing",
        "lines: This field is missing",
      ],
      [{ id: "ab-1" }, "id: Expected at most 12 characters, what matches ^[A-Z]{2}-[0-9]+$"],
      [
        { more: 1, "a/b~c%": 2 },
        "more: This field is unknown here",
        "a/b~c%: This field is unknown here",
      ],
      [{ at: "yesterday" }, "at: Expected the format date-time"],
      [{ state: "lost" }, 'state: Instance does not match any of ["open","paid"]'],
      [{ total: -1 }, "total: -1 is less than 0"],
      [{ by: 7 }, "by: Instance does not match any subschemas"],
      [{ tags: ["a", "a"] }, "tags: Duplicate items at indexes 0 and 1"],
      [{ lines: [] }, "lines: Array has too few items (0 < 1)"],
      [
        { lines: [{ sku: "a", parts: [{ sku: "" }, {}] }] },
        "lines.0.parts.0.sku: Expected at least 1 characters",
        "lines.0.parts.1.sku: This field is missing",
      ],
      [
        { notes: { "x-a": 1, y: 2 } },
        "notes.x-a: Expected string, got number",
        "notes.y: This field is unknown here",
      ],
    ];
    for (const [change, ...faults] of table) {
      const data: unknown = JSON.parse(JSON.stringify({ ...good, ...change }));
      expect(wrong(order, data), JSON.stringify(change)).toEqual(faults);
    }
    expect(refused(order)).toEqual([]);
  });

  it("may hold numbers of any length, and members of any name", () => {
    const data = jsonValue('{"n":9130350000000000001,"m":1.10,"__proto__":1,"constructor":2}');
    const number = { type: "number" };
    expect(wrong({ additionalProperties: number }, data)).toEqual([]);
    expect(wrong({ patternProperties: { ".": number } }, data)).toEqual([]);
    expect(wrong({ properties: { n: { type: "integer" } }, required: ["toString"] }, data)).toEqual(
      ["toString: This field is missing"],
    );
  });

  it("is checked by what stands beside the pattern of a name, and by all patterns that a name matches", () => {
    const schema = {
      properties: { ab: { minimum: 5 } },
      patternProperties: { a: { type: "number" }, b: { maximum: 9 } },
      additionalProperties: { type: "boolean" },
    };
    for (const [data, count] of [
      [{ ab: 7, a: 1, b: 2, c: true }, 0],
      [{ ab: 4 }, 1],
      [{ ab: 10 }, 1],
      [{ ab: "" }, 1],
      [{ b: 10 }, 1],
      [{ c: 1 }, 1],
      [{ inner: { ab: 1 }, ab: 7 }, 1],
    ] as const)
      expect(wrong(schema, data), JSON.stringify(data)).toHaveLength(count);
  });
});

const deep = (levels: number): unknown => (levels === 0 ? {} : { not: deep(levels - 1) });
const doubling = (count: number): Schema => ({
  $ref: "#/$defs/d0",
  $defs: Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `d${at}`,
      at === count - 1
        ? { type: "string" }
        : { anyOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] },
    ]),
  ),
});

describe("a schema", () => {
  it("that is not one of draft 2020-12, or leads elsewhere, is refused with all that is wrong", () => {
    const table: [schema: unknown, ...faults: string[]][] = [
      [[], "schema: Expected an object, or null"],
      [true, "schema: Expected an object, or null"],
      [
        { type: "text", properties: { a: { minLength: -1 }, b: 7 } },
        "schema.type: Expected null, boolean, object, array, number, string, integer",
        "schema.properties.a.minLength: Too small: expected number to be >=0",
        "schema.properties.b: Expected a schema",
      ],
      [
        { $ref: "https://elsewhere.example/schema.json" },
        "schema.$ref: Expected a reference within this schema: # or #/…",
      ],
      [
        { $ref: "file:///etc/passwd" },
        "schema.$ref: Expected a reference within this schema: # or #/…",
      ],
      [{ $ref: "#/$defs/none" }, "schema.$ref: There is no '#/$defs/none'"],
      [
        { properties: { a: { $id: "https://a.example" } } },
        "schema.properties.a.$id: Only the whole schema may have an id",
      ],
      [
        { $schema: "http://json-schema.org/draft-07/schema#" },
        "schema.$schema: Expected https://json-schema.org/draft/2020-12/schema",
      ],
      [{ items: [{ type: "string" }] }, "schema.items: Expected a schema"],
      [
        { additionalItems: false, $dynamicRef: "#a" },
        "schema.additionalItems: This is of draft 2019-09; draft 2020-12 has items beside prefixItems",
        "schema.$dynamicRef: Dynamic references are not available",
      ],
      [{ allOf: [] }, "schema.allOf: Expected a list of schemas"],
      [
        { properties: { a: { pattern: "(?=a)b" } } },
        expect.stringContaining("schema.properties.a.pattern: Not a pattern of RE2"),
      ],
      [
        { patternProperties: { "(a)\\1": {} } },
        expect.stringContaining("schema.patternProperties.(a)\\1: Not a pattern of RE2"),
      ],
    ];
    for (const [schema, ...faults] of table)
      expect(refused(schema), JSON.stringify(schema)).toEqual(faults);
  });

  it("may use what it does not know as a note, and names that objects have of themselves", () => {
    const schema = {
      "x-owner": { $ref: 7 },
      constructor: 1,
      default: { a: 1 },
      properties: { __proto__: {}, constructor: { type: "string" } },
    };
    expect(refused(schema)).toEqual([]);
    expect(wrong(schema, { constructor: 1 })).toEqual(["constructor: Expected string, got number"]);
    expect(wrong(schema, {})).toEqual([]);
  });

  it("that can't be bounded is refused", () => {
    const table: [what: string, schema: unknown, fault: string][] = [
      ["deep", deep(65), "Expected at most 64 levels"],
      ["large", { description: "x".repeat(65_537) }, "Expected at most 65536 characters"],
      ["of itself", { $ref: "#" }, "The schema applies itself to the same value again"],
      [
        "of itself by others",
        { $defs: { a: { allOf: [{ $ref: "#/$defs/b" }] }, b: { not: { $ref: "#/$defs/a" } } } },
        "The schema applies itself to the same value again",
      ],
      [
        "a long chain",
        doubling(200),
        "More than 100 schemas apply to the same value, one within the other",
      ],
      [
        "many choices",
        { enum: Array.from({ length: 1_001 }, (_, at) => at) },
        "Too big: expected array to have <=1000 items",
      ],
      [
        "large patterns",
        {
          patternProperties: Object.fromEntries(
            Array.from({ length: 8 }, (_, at) => [`(x{${900 + at}}y)`, {}]),
          ),
        },
        "The patterns are too large together",
      ],
      [
        "a long pattern of names",
        { patternProperties: { ["a".repeat(1_001)]: {} } },
        "expected at most 1000 characters",
      ],
      ["a pattern that explodes", { pattern: "((a{100}){100}){100}" }, "Not a pattern of RE2"],
    ];
    for (const [what, schema, fault] of table)
      expect(refused(schema).join(), what).toContain(fault);
  });

  it("costs a bounded number of steps, whatever the data is", () => {
    const list = (length: number) => Array.from({ length }, (_, at) => at);
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    const wide = Object.fromEntries(list(5_000).map((at) => [`k${at}`, at]));
    const table: [what: string, schema: Schema, data: unknown][] = [
      [
        "twice at each level",
        { type: "array", anyOf: [{ items: { $ref: "#" } }, { items: { $ref: "#" } }] },
        nested(40),
      ],
      ["twice at each schema", doubling(40), 7],
      ["unique objects", { uniqueItems: true }, list(5_000).map((id) => ({ id }))],
      ["large objects many times", { allOf: list(1_000).map(() => ({ minProperties: 1 })) }, wide],
      [
        "long texts many times",
        { allOf: list(1_000).map((at) => ({ minLength: at })) },
        "x".repeat(1_000_000),
      ],
      [
        "many names and patterns",
        {
          additionalProperties: {
            patternProperties: Object.fromEntries(list(500).map((at) => [`${at}`, {}])),
          },
        },
        Object.fromEntries(list(2_000).map((at) => [`k${at}`, { [`n${at}`]: 1 }])),
      ],
      [
        "many long choices",
        { items: { enum: list(1_000).map((at) => ({ at, x: "y" })) } },
        list(5_000).map((at) => ({ at })),
      ],
    ];
    for (const [what, schema, data] of table) {
      expect(refused(schema), what).toEqual([]);
      expect(wrong(schema, data), what).toEqual([
        ": It can't be checked by the schema: It takes too much work",
      ]);
    }
    const levels = { items: { $ref: "#" } };
    expect(wrong(levels, nested(100))).toEqual([]);
    // What took too long leaves nothing behind.
    expect(wrong({ uniqueItems: true }, [1, 2])).toEqual([]);
  });

  it("tells of texts by patterns that would take V8 for ever", () => {
    const text = `${"a".repeat(50_000)}!`;
    for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}b"])
      expect(wrong({ pattern }, text), pattern).toHaveLength(1);
    expect(wrong({ patternProperties: { "^(a+)+$": false } }, { [text]: 1 })).toEqual([]);
  });

  it("takes large data that is as ordinary as it is long", () => {
    const lines = Array.from({ length: 3_000 }, (_, at) => ({
      sku: `s${at}`,
      parts: [{ sku: "p" }],
    }));
    const faults: DataFault[] = faultsOf({ schema: order }, { ...good, lines });
    expect(faults).toEqual([]);
  });
});
