import { describe, expect, it } from "vitest";
import { stepInput } from "../../../src/flows/steps/input";
import { values } from "../build";

const scope = {
  T: {
    out: {
      data: {
        email: "a@b",
        age: 3,
        note: null,
        list: [{ id: 1 }, { id: 2 }],
        trap: "{{{$.T.out.data.age}}}",
        on: true,
        deep: { er: "x" },
      },
    },
  },
};

async function made(...given: Parameters<typeof stepInput>): Promise<Record<string, unknown>> {
  const result = await stepInput(...given);
  if (!result.ok) throw new Error(result.message);
  return result.input;
}

const resolve = async (lambda: unknown): Promise<unknown> => {
  const transformation = { type: "json2new" as const, modifiers: {}, lambda: { field: lambda } };
  return (await made(transformation, scope.T.out, scope, values()))["field"];
};

describe("placeholders", () => {
  it.each<[string, unknown, unknown]>([
    ["the whole string keeps a number", "{{{$.T.out.data.age}}}", 3],
    ["the whole string keeps a boolean", "{{{$.T.out.data.on}}}", true],
    ["the whole string keeps an object", "{{{$.T.out.data.deep}}}", { er: "x" }],
    ["inside text a number is written out", "is {{{$.T.out.data.age}}}.", "is 3."],
    ["inside text an object is JSON", "x{{{$.T.out.data.deep}}}", 'x{"er":"x"}'],
    ["inside text a list is JSON", "{{{$.T.out.data.list}}}!", '[{"id":1},{"id":2}]!'],
    ["missing as a whole: the key is absent", "{{{$.T.out.data.nope}}}", undefined],
    ["missing inside text: nothing", "a{{{$.T.out.data.nope}}}b", "ab"],
    ["null as a whole stays null", "{{{$.T.out.data.note}}}", null],
    ["null inside text is written out", "a {{{$.T.out.data.note}}}", "a null"],
    ["a list by a dotted index", "{{{$.T.out.data.list.0.id}}}", 1],
    ["a list by brackets", "{{{$.T.out.data.list[1].id}}}", 2],
    [
      "nested objects at their leaves, anything else unchanged",
      { a: { b: "{{{$.T.out.data.age}}}" }, n: 1, l: ["{{{$.T.out.data.email}}}", 2], z: null },
      { a: { b: 3 }, n: 1, l: ["a@b", 2], z: null },
    ],
    [
      "a value with braces is not expanded again",
      "{{{$.T.out.data.trap}}}",
      "{{{$.T.out.data.age}}}",
    ],
    ["nor inside text", "x {{{$.T.out.data.trap}}}", "x {{{$.T.out.data.age}}}"],
    ["a prototype is never reached", "{{{$.T.out.data.constructor}}}", undefined],
    ["nor __proto__", "{{{$.T.out.data.__proto__}}}", undefined],
    ["nor the length of a text", "{{{$.T.out.data.email.length}}}", undefined],
    ["braces that hold nothing stand for themselves", "{{{}}} {{x}}", "{{{}}} {{x}}"],
  ])("%s", async (_, lambda, expected) => {
    expect(await resolve(lambda)).toEqual(expected);
  });

  it("lays the mapped fields over what was sent, or replaces it", async () => {
    const lambda = { data: "new" };
    const sent = { data: "old", other: 1 };
    const map = (type: "json2new" | "json2ext") =>
      made({ type, modifiers: {}, lambda }, sent, scope, values());
    expect(await map("json2ext")).toEqual({ data: "new", other: 1 });
    expect(await map("json2new")).toEqual({ data: "new" });
  });

  it("applies the modifiers of a field, also at its nested leaves, and flow values", async () => {
    const first = { name: "g_first", params: [], hashParams: {} };
    const input = await made(
      {
        type: "json2new",
        modifiers: {
          body: {
            m1: { variable: "$.T.out.data.list", functions: [first] },
            m2: { variable: "g_flowName", functions: [] },
          },
          "deep.leaf": { m3: { functions: [{ ...first, name: "g_userId" }] } },
        },
        lambda: { body: { one: "{{{m1}}}", two: "by {{{m2}}}" }, deep: { leaf: "{{{m3}}}" } },
      },
      {},
      scope,
      values(),
    );
    expect(input).toEqual({ body: { one: { id: 1 }, two: "by Name" }, deep: { leaf: "7" } });
  });

  it("bounds what a template can make of a large value", async () => {
    const big = { T: { out: { data: "x".repeat(500_000) } } };
    const lambda = { field: "{{{$.T.out.data}}} ".repeat(20) };
    const result = await stepInput({ type: "json2new", modifiers: {}, lambda }, {}, big, values());
    expect(result).toEqual({
      ok: false,
      message: "field: The input is larger than 4194304 characters",
    });
  });

  it("takes a megabyte of braces in its stride", async () => {
    const text = "{{{".repeat(300_000);
    expect(await resolve(text)).toBe(text);
  });
});
