import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyDigits } from "../../src/values/digits";
import { canonicalJson, jsonValue, parseExactly } from "../../src/values/json";

describe("parseExactly", () => {
  it("keeps the digits of whole numbers above 2^53", () => {
    const text =
      '{"next_stream_position":1152922976252290886,"a":[-9007199254740993,9007199254740991],"f":1234567890123456.5,"e":1e20,"n":1,"s":"1152922976252290886"}';
    expect(parseExactly(text)).toEqual({
      ok: true,
      value: {
        next_stream_position: "1152922976252290886",
        a: ["-9007199254740993", 9007199254740991],
        f: 1234567890123456.5,
        e: 1e20,
        n: 1,
        s: "1152922976252290886",
      },
    });
  });

  it("loses no digit of any whole number", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (number) => {
        const read = parseExactly(`{"id":${number}}`);
        expect(read.ok && String((read.value as { id: unknown }).id)).toBe(String(number));
      }),
    );
  });

  it("writes every number as it stood there, whatever holds it", () => {
    const number = fc
      .tuple(
        fc.constantFrom("", "-"),
        fc.oneof(fc.constant("0"), fc.bigInt({ min: 1n, max: 10n ** 25n }).map(String)),
        fc.constantFrom("", ".0", ".10", ".123456789012345678901", ".5"),
        fc.constantFrom("", "e400", "E2", "e-7", "e+05", "e-400"),
      )
      .map((parts) => parts.join(""));
    const json = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        number,
        fc.constantFrom("null", '"1.10"', '"a: 1e400"', "true"),
        fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
        fc
          .array(fc.tuple(fc.constantFrom("a", "b", "__proto__", "x.y"), tie("value")), {
            maxLength: 4,
          })
          .map((members) => {
            const unique = [...new Map(members)];
            return `{${unique.map(([key, value]) => `"${key}":${value}`).join(",")}}`;
          }),
      ),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        const text = `{"value":${value}}`;
        const read = parseExactly(text);
        expect(read.ok && JSON.stringify(read.value)).toBe(text);
      }),
    );
  });

  it.each([
    ["1.10", 1.1],
    ["-0", -0],
    ["1e2", 100],
    ["10.00", 10],
    ["0.1000000000000000055", "0.1000000000000000055"],
    ["1e400", "1e400"],
    ["1e-400", "1e-400"],
    ["9007199254740993", "9007199254740993"],
    ["0e9999", 0],
  ])("shows code %s as %j", (text, value) => {
    expect(parseExactly(text)).toEqual({ ok: true, value });
    expect(parseExactly(`[{"n": ${text} }]`)).toEqual({ ok: true, value: [{ n: value }] });
  });

  it("writes what was put in a number's place", () => {
    const read = jsonValue('{"a":1.10,"b":[1.10,2.0]}') as { a: unknown; b: unknown[] };
    read.a = 2;
    read.b.reverse();
    expect(JSON.stringify(read)).toBe('{"a":2,"b":[2,1.1]}');
    expect(JSON.stringify(copyDigits(read, { ...read }))).toBe('{"a":2,"b":[2,1.1]}');
  });

  it("shows code every number of a text that has very many, and writes the first ten thousand as they were", () => {
    const text = `[${Array.from({ length: 10_002 }, () => "1.10").join(",")},9007199254740993]`;
    const read = jsonValue(text) as unknown[];
    expect(new Set(read)).toEqual(new Set([1.1, "9007199254740993"]));
    const written = JSON.stringify(read);
    expect(written.split("1.10")).toHaveLength(10_001);
    expect(written.endsWith(',1.1,1.1,"9007199254740993"]')).toBe(true);
  });

  it("leaves a member named toJSON what it is", () => {
    expect(JSON.stringify(jsonValue('{"toJSON":1,"a":1.10}'))).toBe('{"toJSON":1,"a":1.1}');
  });

  it("takes the last of several members of one name, and its digits", () => {
    expect(JSON.stringify(jsonValue('{"a":1.10,"a":2.20}'))).toBe('{"a":2.20}');
    expect(JSON.stringify(jsonValue('{"a":1.10,"a":2}'))).toBe('{"a":2}');
  });

  it("reads everything else as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!/\d{16}|[eE]/.test(text));
        expect(parseExactly(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  it.each(["{", "", "nonsense", "[1,]", "{'a':1}"])("refuses %j, which is not JSON", (text) => {
    expect(parseExactly(text)).toEqual({ ok: false });
  });
});

describe("canonicalJson", () => {
  it("is the same whatever the order of members, at any depth", () => {
    const one = canonicalJson({ b: [{ y: 1, x: null }], a: { d: 1, c: "t" } });
    expect(one).toBe(canonicalJson({ a: { c: "t", d: 1 }, b: [{ x: null, y: 1 }] }));
    expect(one).toBe('{"a":{"c":"t","d":1},"b":[{"x":null,"y":1}]}');
  });

  it("is the same whichever way a number is written", () => {
    const [one, other] = ['{"a":[1.10,{"b":1e2}]}', '{"a":[1.1,{"b":100}]}'];
    expect(canonicalJson(jsonValue(one))).toBe(canonicalJson(jsonValue(other)));
    expect(canonicalJson(jsonValue('{"id":9007199254740993}'))).toBe('{"id":"9007199254740993"}');
  });

  it("tells lists of another order apart", () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
});
