import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, parseExactly } from "../../src/values/json";

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

  it("reads everything else as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!/\d{16}/.test(text));
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

  it("tells lists of another order apart", () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
});
