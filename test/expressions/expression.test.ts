import { describe, expect, it } from "vitest";
import { evaluate } from "../../src/expressions/evaluate";
import { expressionFault } from "../../src/expressions/syntax";
import { isWanted } from "../../src/expressions/filter";
import { transformBody } from "../../src/expressions/transform";

describe("expressionFault", () => {
  it.each([
    ["eventType = 'CREATED' and data.amount > 10"],
    ["$uppercase(data.name) & '!'"],
    ["$map([1..10], function($n) { $n * 2 })"],
    ["$replace(name, /[aeiou]/i, '*')"],
    ["{ 'id': objectId, 'tags': data.tags[0] }"],
  ])("finds nothing wrong with %s", (source) => expect(expressionFault(source)).toBeUndefined());

  it.each([
    ["(((", "Not a JSONata expression"],
    ["$now()", "$now is not available"],
    ["$millis()", "$millis is not available"],
    ["$random()", "$random is not available"],
    ["$shuffle([1])", "$shuffle is not available"],
    ["$eval('1')", "$eval is not available"],
    ["($f := $eval; $f('1'))", "$eval is not available"],
    ["[1..10000000]", "A range holds at most"],
    ["[1..$count(data)]", "The ends of a range must be numbers"],
    ["$match(a, /(.)\\1/)", "Pattern"],
    ["$match(a, /(?=x)x/)", "Pattern"],
    ["x".repeat(20_000), "Expected at most"],
  ])("refuses %s", (source, message) => expect(expressionFault(source)).toContain(message));
});

describe("evaluate", () => {
  it.each([
    ["endless recursion", "($f := function($x) { $f($x + 1) + 1 }; $f(1))"],
    ["endless tail calls", "($f := function($x) { $f($x + 1) }; $f(1))"],
    [
      "a text that doubles",
      "($f := function($x, $n) { $n > 0 ? $f($x & $x, $n - 1) : $x }; $f('xxxxxxxxxx', 60))",
    ],
    [
      "a list that doubles",
      "($f := function($x, $n) { $n > 0 ? $f($append($x, $x), $n - 1) : $x }; $f([1,2,3], 60))",
    ],
    [
      "nested loops",
      "$sum($map([1..1000], function($a) { $sum($map([1..1000], function($b) { $a * $b })) }))",
    ],
    ["a wide pad", "$pad('x', 1000000000)"],
    ["a text joined of many", "($s := $pad('', 10000); $join([1..10000].$s))"],
    [
      "a text of lists of lists of texts",
      "($s := $pad('', 10000); $l := [1..10000].$s; $string([1..10000].[$l]))",
    ],
    [
      "an object that holds the same again and again",
      "($f := function($x, $n) { $n > 0 ? $f({'a': $x, 'b': $x}, $n - 1) : $x }; $f('x', 40))",
    ],
    [
      "the same, disguised as a function",
      "($f := function($x, $n) { $n > 0 ? $f({'_jsonata_lambda': true, 'a': $x, 'b': $x}, $n - 1) : $x }; $f('x', 40))",
    ],
    ["an object made to hold itself", "$ ~> | $ | {'self': $} |"],
    ["a large object put into each of its parts", "$ ~> | list | {'all': $$.list} |"],
    ["many large lists", "$map([1..10000], function($n) { [$$.list, $n] })"],
    ["comparing large lists again and again", "$count(list[$ in $$.list])"],
    ["text made anew of a large value", "$map([1..1000], function($n) { $length($string($$)) })"],
    ["much replaced by much", "$replace($pad('', 10000), ' ', $pad('', 10000))"],
  ])("stops %s", async (_, source) => {
    const list = Array.from({ length: 8_000 }, (_item, n) => ({ name: `n${n}` }));
    expect(await evaluate(source, { list })).toMatchObject({ ok: false });
  });

  it("gives no function away, nor what it holds", async () => {
    const value = async (source: string): Promise<unknown> => evaluate(source, { secret: "s" });
    for (const source of ["$sum", "function($x) { $x }", "$ ~> | $ | {} | ~> $string"])
      expect(await value(`{ 'f': ${source}, 'one': 1 }`)).toMatchObject({
        ok: true,
        value: expect.not.objectContaining({ environment: expect.anything() }),
      });
    expect(await value("{ 'f': function($x) { $x }, 'one': 1 }")).toEqual({
      ok: true,
      value: { one: 1 },
    });
    expect(await value("function($x) { $x }")).toEqual({ ok: true, value: undefined });
    expect(await transformBody("$sum", "{}")).toMatchObject({ ok: false });
  });

  it("takes an input larger than anything it may make", async () => {
    const list = Array.from({ length: 30 }, (_item, n) => ({ n, text: "x".repeat(100_000) }));
    expect(await evaluate("{ 'all': list, 'last': list[-1].n }", { list })).toEqual({
      ok: true,
      value: { all: list, last: 29 },
    });
    expect(await evaluate("[list, list]", { list })).toMatchObject({ ok: false });
  });

  it("takes what is large, but used once", async () => {
    const list = Array.from({ length: 8_000 }, (_item, n) => ({ name: `n${n}`, price: n }));
    const value = async (source: string): Promise<unknown> => {
      const evaluated = await evaluate(source, { list });
      return evaluated.ok ? evaluated.value : evaluated.message;
    };
    expect(await value("$sum(list.price)")).toBe(31_996_000);
    expect(await value("$count(list[price > 7000])")).toBe(999);
    expect(await value("$length($string($))")).toBe(JSON.stringify({ list }).length);
    expect(await value("($ ~> | list[0] | {'price': 7} |).list[0]")).toEqual({
      name: "n0",
      price: 7,
    });
  });

  it("matches patterns that take others for ever", async () => {
    const text = `${"a".repeat(50_000)}!`;
    expect(await evaluate("$contains(text, /^(a+)+$/)", { text })).toEqual({
      ok: true,
      value: false,
    });
  });

  it("replaces, splits and matches as JSONata does", async () => {
    const value = async (source: string): Promise<unknown> => {
      const evaluated = await evaluate(source, { text: "a1b22c" });
      return evaluated.ok ? JSON.parse(JSON.stringify(evaluated.value)) : evaluated.message;
    };
    expect(await value("$replace(text, /[0-9]+/, '-')")).toBe("a-b-c");
    expect(await value("$split(text, /[0-9]+/)")).toEqual(["a", "b", "c"]);
    expect(await value("$match(text, /([a-z])([0-9]+)/).groups[1]")).toEqual(["1", "22"]);
  });
});

describe("transformBody", () => {
  it("gives the same bytes for the same body", async () => {
    const body = JSON.stringify({ message: { events: [{ objectId: "7" }] } });
    const transform = "{ 'ids': message.events.objectId, 'count': $count(message.events) }";
    const first = await transformBody(transform, body);
    expect(first).toEqual({ ok: true, text: '{"ids":"7","count":1}' });
    expect(await transformBody(transform, body)).toEqual(first);
  });

  it("says why it failed, and when it gave nothing", async () => {
    expect(await transformBody("nothing.there", "{}")).toEqual({
      ok: false,
      reason: "transform-failed",
      message: "transform: The expression gave nothing",
    });
    expect(await transformBody("$number('x')", "{}")).toMatchObject({ ok: false });
  });
});

describe("isWanted", () => {
  const event = {
    objectType: "accounts",
    objectId: "1",
    eventType: "CREATED",
    date: 0,
    data: '{"amount":5}',
  };
  it.each([
    [undefined, true],
    ["eventType = 'CREATED'", true],
    ["eventType = 'DELETED'", false],
    ["data.amount > 3", true],
    ["data.missing", false],
    ["$number('not one')", true],
  ])("%s: %s", async (filter, wanted) => expect(await isWanted(filter, event)).toBe(wanted));
});
