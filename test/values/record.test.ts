import { expect, it } from "vitest";
import { isObject } from "../../src/values/record";

it.each<[unknown, boolean]>([
  [{}, true],
  [{ a: 1 }, true],
  [Object.create(null), true],
  [[], false],
  [null, false],
  [undefined, false],
  ["text", false],
  [1, false],
])("isObject tells whether %o has named members", (value, is) => {
  expect(isObject(value)).toBe(is);
});
