import { describe, expect, it } from "vitest";
import { applyFunctions, modifierFault } from "../../src/flows/modifiers/apply";
import { flowValue } from "../../src/flows/modifiers/flow-values";
import { newBudget } from "../../src/flows/modifiers/budget";
import { values } from "./build";

const call = (name: string, ...params: unknown[]) => ({
  name,
  params: params.map((value) => ({ value })),
  hashParams: {},
});
const apply = (value: unknown, name: string, ...params: unknown[]): Promise<unknown> =>
  applyFunctions(value, [call(name, ...params)], values(), newBudget());

describe("modifiers", () => {
  it.each<[string, unknown, unknown[], unknown]>([
    ["g_jsonPath", [{ id: 5 }], ["[0].id"], 5],
    ["g_jsonata", { a: [1, 2, 3] }, ["$sum(a)"], 6],
    ["g_stringify", { a: 1 }, [], '{"a":1}'],
    ["g_stringify", { a: 1 }, [1], '{\n "a": 1\n}'],
    ["g_length", "abcd", [], 4],
    ["g_length", [1, 2], [], 2],
    ["g_first", [1, 2], [], 1],
    ["g_last", [1, 2], [], 2],
    ["g_nthIndex", [1, 2, 3], [1], 2],
    ["g_join", [1, "b"], ["-"], "1-b"],
    ["g_split", "a,b", [","], ["a", "b"]],
    ["g_flatten", [1, [2, [3]]], [], [1, 2, [3]]],
    ["g_flatten", [1, [2, [3]]], [true], [1, 2, 3]],
    ["g_deduplicate", [1, 1, { a: 1 }, { a: 1 }], [], [1, { a: 1 }]],
    ["g_keys", { a: 1, b: 2 }, [], ["a", "b"]],
    ["g_values", { a: 1, b: 2 }, [], [1, 2]],
    ["g_lowercase", "AbC", [], "abc"],
    ["g_uppercase", "AbC", [], "ABC"],
    ["g_trim", "  a ", [], "a"],
    ["g_trim", "--a-", ["-"], "a"],
    ["g_truncate", "abcdefgh", [5, "…"], "abcd…"],
    ["g_truncate", "abc", [5], "abc"],
    ["g_replace", "a.b.c", [".", "-"], "a-b-c"],
    ["g_replace", "a.b.c", [".", "-", false, false], "a-b.c"],
    ["g_replace", "a1b22", ["(\\d+)", "<$1>", true], "a<1>b<22>"],
    ["g_replace", "A", ["a", "$1", false, true, false, true], "$1"],
    ["g_encodeUrl", "a b&c", [], "a%20b%26c"],
    ["g_decodeUrl", "a%20b", [], "a b"],
    ["g_base64", "ä", [], "w6Q="],
    ["g_sha256", "abc", [], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["g_formatDate", "2026-01-02T03:04:05Z", ["DD.MM.YYYY HH:mm"], "02.01.2026 03:04"],
    ["g_add", "2", [3], 5],
    ["g_sub", 2, [3], -1],
    ["g_mul", 2, [3], 6],
    ["g_div", 3, ["2"], 1.5],
  ])("%s of %j with %j", async (name, value, params, expected) => {
    expect(await apply(value, name, ...params)).toEqual(expected);
  });

  it("starts with a flow value and goes on in order", async () => {
    const functions = [call("g_now"), call("g_formatDate", "YYYY"), call("g_add", 1)];
    expect(await applyFunctions(undefined, functions, values(), newBudget())).toBe(2027);
    expect(
      await applyFunctions(undefined, [call("g_customFields")], values(), newBudget()),
    ).toEqual({
      plan: "gold",
    });
  });

  it("leaves a missing value missing", async () => {
    expect(await apply(undefined, "g_uppercase")).toBeUndefined();
  });

  it.each<[string, unknown, unknown[]]>([
    ["g_first", "text", []],
    ["g_add", "x", [1]],
    ["g_div", 1, [0]],
    ["g_formatDate", "no date", []],
    ["g_decodeUrl", "%", []],
  ])("%s of %j is a fault that names it", async (name, value, params) => {
    await expect(apply(value, name, ...params)).rejects.toThrow(name);
  });

  it("runs a pattern that would take others exponential time in linear time", async () => {
    const bomb = `${"a".repeat(50_000)}!`;
    expect(await apply(bomb, "g_replace", "(a+)+$", "b", true)).toBe(bomb);
  });

  it.each<[string, unknown, { name: string; params: { value: unknown }[]; hashParams: object }[]]>([
    [
      "a base64 of a base64, fifty times",
      "x".repeat(1_000),
      Array.from({ length: 50 }, () => call("g_base64")),
    ],
    ["a text of a text, fifty times", '"', Array.from({ length: 50 }, () => call("g_stringify"))],
    [
      "a pattern of two thousand states over much text",
      "x".repeat(200_000),
      [call("g_replace", "(?:a?){900}b", "", true)],
    ],
    [
      "many expressions together",
      Array.from({ length: 1_000 }, (_, n) => n),
      Array.from({ length: 40 }, () =>
        call("g_jsonata", "$map($, function($x) { $x + 1 + 1 + 1 })"),
      ),
    ],
  ])("bounds what they do together: %s", async (_, value, functions) => {
    const calls = functions.map((one) => ({ ...one, hashParams: {} }));
    await expect(applyFunctions(value, calls, values(), newBudget())).rejects.toThrow(
      "too much work",
    );
  });

  it("takes named parameters, and leaves others at their defaults", async () => {
    const hashParams = {
      replacer: { value: "-" },
      pattern: { value: "." },
      global: { value: false },
    };
    const functions = [{ name: "g_replace", params: [], hashParams }];
    expect(await applyFunctions("a.b.c", functions, values(), newBudget())).toBe("a-b.c");
  });

  it.each<[string, unknown]>([
    ["g_now", "2026-01-02T03:04:05.000Z"],
    ["g_timestamp", Date.UTC(2026, 0, 2, 3, 4, 5)],
    ["g_uuid4", "uuid-1"],
    ["g_userId", "7"],
    ["g_flowId", "f1"],
    ["g_flowName", "Name"],
    ["g_webhookUrl", "https://tributary.example/flows/f1/components/P"],
    ["g_customFields", { plan: "gold" }],
  ])("knows %s as a variable and as the first function", async (name, expected) => {
    expect(flowValue(name, values())).toEqual(expected);
    expect(modifierFault({ variable: name, functions: [] })).toBeUndefined();
    expect(await apply(undefined, name)).toEqual(expected);
  });

  it.each([
    ["an unknown name", { functions: [call("g_eval")] }],
    ["a flow value later on", { functions: [call("g_first"), call("g_now")] }],
    ["an unknown variable", { variable: "g_nothing", functions: [] }],
    ["too many parameters", { functions: [call("g_first", 1)] }],
    ["a pattern that is none", { functions: [call("g_replace", "(", "", true)] }],
    [
      "a pattern that repeats repeats",
      { functions: [call("g_replace", "((a{1000}){1000})", "", true)] },
    ],
    ["a pattern without end", { functions: [call("g_replace", "a".repeat(1_001), "", true)] }],
    ["a back reference", { functions: [call("g_replace", "(a)\\1", "", true)] }],
    ["an expression that is none", { functions: [call("g_jsonata", "a[")] }],
    [
      "an unknown named parameter",
      { functions: [{ name: "g_first", params: [], hashParams: { x: { value: 1 } } }] },
    ],
  ])("says before the start that %s is wrong", (_, modifier) => {
    expect(modifierFault(modifier)).toBeTypeOf("string");
  });
});

describe("JSONata", () => {
  it.each([
    ["endless recursion", "($f := function($x) { $f($x) }; $f(1))"],
    ["deep recursion", "($f := function($x) { 1 + $f($x) }; $f(1))"],
    ["a huge range", "[1..10000000]"],
    ["nested maps", "$map([1..5000], function($x) { $map([1..5000], function($y) { $x * $y }) })"],
    ["doubling text", "($f := function($s) { $f($s & $s) }; $f('xx'))"],
    [
      "all compared with all",
      "($l := [1..10000]; $map([1..5000], function($x) { $count($distinct($l)) }))",
    ],
    ["lists of lists", "$map([1..10000], function($x) { [1..10000] })"],
    ["padding", "$pad('x', 1000000000)"],
    ["a pattern that takes for ever", "$match('aaaa', /(a+)\\1$/)"],
    ["code from text", "$eval('1+1')"],
    ["what differs from try to try", "$now()"],
  ])("is bounded: %s", async (_, expression) => {
    await expect(apply({ a: 1 }, "g_jsonata", expression)).rejects.toThrow("g_jsonata");
  });

  it("reaches no prototype and gives back plain JSON", async () => {
    expect(await apply({ a: [{ b: 1 }] }, "g_jsonata", "a.{'c': b}")).toEqual({ c: 1 });
    expect(await apply({ a: 1 }, "g_jsonata", "constructor.name")).toBeUndefined();
  });
});
