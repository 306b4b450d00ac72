import { type Schema, Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultsOf } from "../../src/event-types/event-type";
import { quickCheck } from "../../src/event-types/schema/quick";
import { Work } from "../../src/event-types/schema/work";
import { jsonValue } from "../../src/values/json";

const says = (schema: unknown, data: unknown): boolean =>
  quickCheck(schema as Schema, { refer: () => undefined, textOf: () => undefined, weigh: () => 1 })(
    data,
    new Work(),
  );

const name = fc.constantFrom("a", "b", "c");
const count = fc.integer({ min: 0, max: 3 });
const number = fc.constantFrom(-2, -0.5, 0, 0.1, 0.25, 0.3, 1, 1.5, 2, 3, 1e-7, 1e21, 2 ** 53);
const { data } = fc.letrec((tie) => ({
  data: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false, "", "x", "xy"),
    number,
    fc.array(tie("data"), { maxLength: 3 }),
    fc.dictionary(name, tie("data"), { maxKeys: 3 }),
  ),
}));
const type = fc.constantFrom("null", "boolean", "object", "array", "number", "string", "integer");
const { schema } = fc.letrec((tie) => {
  const inner = tie("schema");
  const list = fc.array(inner, { minLength: 1, maxLength: 2 });
  const map = fc.dictionary(name, inner, { maxKeys: 2 });
  const all = {
    type: fc.oneof(type, fc.array(type, { minLength: 1, maxLength: 3 })),
    enum: fc.array(data, { minLength: 1, maxLength: 3 }),
    const: data,
    required: fc.array(name, { maxLength: 2 }),
    minimum: number,
    maximum: number,
    exclusiveMinimum: number,
    exclusiveMaximum: number,
    multipleOf: fc.constantFrom(0.1, 0.01, 0.25, 1, 2, 1e-7),
    minItems: count,
    maxItems: count,
    minContains: count,
    maxContains: count,
    minProperties: count,
    maxProperties: count,
    uniqueItems: fc.boolean(),
    dependentRequired: fc.dictionary(name, fc.array(name, { maxLength: 2 }), { maxKeys: 2 }),
    allOf: list,
    anyOf: list,
    oneOf: list,
    prefixItems: list,
    properties: map,
    dependentSchemas: map,
    additionalProperties: inner,
    items: inner,
    contains: inner,
    not: inner,
    if: inner,
    else: inner,
    unevaluatedProperties: inner,
    propertyNames: inner,
  };
  const one = fc
    .subarray(Object.keys(all) as (keyof typeof all)[], { minLength: 1, maxLength: 3 })
    .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, all[key]]))));
  return { schema: fc.oneof({ depthSize: "small" }, fc.boolean(), one) };
});

describe("quickCheck", () => {
  it("says yes to nothing that the library finds wrong, and to most of what it finds right", () => {
    let [right, sure] = [0, 0];
    fc.assert(
      fc.property(schema, data, (given, value) => {
        if (typeof given === "boolean") return;
        const isRight = new Validator(structuredClone(given), "2020-12", false).validate(
          value,
        ).valid;
        const isSure = says(given, value);
        right += isRight ? 1 : 0;
        sure += isSure ? 1 : 0;
        if (isSure) expect([given, value, isRight]).toEqual([given, value, true]);
      }),
      { numRuns: 3_000 },
    );
    expect(sure).toBeGreaterThan(right / 2);
  });

  it.each<[object, unknown, boolean]>([
    [{ multipleOf: 0.01 }, 12.57, true],
    [{ multipleOf: 0.01 }, 12.575, false],
    [{ multipleOf: 3 }, 9, true],
    [{ multipleOf: 3 }, 2 ** 60, false],
    [{ const: 1 }, 1, true],
    [{ const: { a: 1 } }, { a: 1 }, false],
    [{ uniqueItems: true }, [1, "1", null], true],
    [{ uniqueItems: true }, [{}, 1], false],
    [{ properties: { n: {} } }, jsonValue('{"n":9130350000000000001}'), false],
    [{ oneOf: [true, false] }, 1, false],
  ])("of %j and %j is %s", (given, value, answer) => expect(says(given, value)).toBe(answer));

  it("ends with its work, and the library tells what is wrong", () => {
    const twice = { anyOf: [{ items: { $ref: "#" } }, { items: { $ref: "#" } }] };
    const nested = JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`);
    expect(faultsOf({ schema: { ...twice, maxItems: 0 } }, nested)).toEqual([
      { path: "", message: "It can't be checked by the schema: It takes too much work" },
    ]);
  });
});
