import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonScan } from "../../src/values/json-scan";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The members that are found when a text is read `step` bytes at a time, each with the text of its value. */
function scanned(text: string, step = 7): [name: string, json: string][] {
  const bytes = bytesOf(text);
  const scan = new JsonScan(bytes);
  for (let until = step; scan.read(until); until += step);
  return scan.members.map(({ name, from, to }) => [
    name,
    new TextDecoder().decode(bytes.subarray(from, to)),
  ]);
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
const isTaken = (text: string): boolean => {
  try {
    scanned(text);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return false;
  }
};

describe("JsonScan", () => {
  it("finds the values of the outermost object's members", () => {
    const text = ' { "a" : [1, {"b": 2}] , "d\\u0061t\\u00e4":"x\\"}", "n":-1.5e+3 , "o": {} } ';
    expect(scanned(text)).toEqual([
      ["a", '[1, {"b": 2}]'],
      ["datä", '"x\\"}"'],
      ["n", "-1.5e+3"],
      ["o", "{}"],
    ]);
    expect(scanned('[{"a": 1}]')).toEqual([]);
  });

  it("finds in any object what JSON.parse finds, however it is cut", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, fc.integer({ min: 1, max: 9 }), fc.nat(3), (value, step, space) => {
        const found = scanned(JSON.stringify(value, null, space), step);
        expect(found.map(([name, json]) => [name, JSON.parse(json)])).toEqual(
          Object.entries(JSON.parse(JSON.stringify(value))),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("takes what JSON.parse takes, and nothing else", () => {
    const sign = fc.constantFrom(...Array.from('{}[]",:-+.0123eEu\\/bnrtfalsnul \t\n\u0001ä'));
    const cut = fc.tuple(fc.jsonValue(), fc.nat(), sign, fc.nat(2));
    fc.assert(
      fc.property(cut, ([value, place, put, gone]) => {
        const text = JSON.stringify(value);
        const at = place % (text.length + 1);
        const changed = text.slice(0, at) + put + text.slice(at + gone);
        expect([changed, isTaken(changed)]).toEqual([changed, isJson(changed)]);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    "",
    " ",
    "01",
    "1.",
    "-",
    "1e",
    "+1",
    ".5",
    "[1,]",
    '{"a":1,}',
    '{"a"}',
    "{1:2}",
    "tru",
    '"',
    '"\\u12g4"',
    '"\\x"',
    "[1}",
    "1 2",
    '"\u0001"',
  ])("refuses %j", (text) => expect(isTaken(text)).toBe(false));

  it("refuses more than 500 levels", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(isTaken(nested(500))).toBe(true);
    expect(isTaken(nested(501))).toBe(false);
  });
});
