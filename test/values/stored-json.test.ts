import { expect, it } from "vitest";
import * as z from "zod";
import { storedJson } from "../../src/values/stored-json";

const wake = z.object({ at: z.number(), ids: z.array(z.number()) });
const text = z.object({ ids: z.string() });
/** Version 1 kept the ids as text. */
const stored = storedJson(wake, (before) => ({
  ...Object(before),
  ids: JSON.parse(text.parse(before).ids),
}));

it("reads what no version is written in as version 1, and brings it up to date", () => {
  expect(stored.read('{"at":1,"ids":"[7]"}')).toEqual({ at: 1, ids: [7] });
});

it("reads what it wrote", () => {
  const value = { at: 1, ids: [7, 8] };
  expect(stored.write(value)).toBe('{"at":1,"ids":[7,8],"v":2}');
  expect(stored.read(stored.write(value))).toEqual(value);
});

it("writes a shape that never changed without a version, lists too", () => {
  const list = storedJson(z.array(z.number()));
  expect(list.write([1])).toBe("[1]");
  expect(list.read("[1]")).toEqual([1]);
});

it.each([
  ["a later version", '{"at":1,"ids":[7],"v":3}', "Version 3 of a text is later than 2"],
  ["another shape", '{"at":"now","ids":[7],"v":2}', "expected number"],
  ["no JSON", "{", "JSON"],
])("refuses %s", (_, text, message) => {
  expect(() => stored.read(text)).toThrow(message);
});
