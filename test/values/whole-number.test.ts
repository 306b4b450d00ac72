import { describe, expect, it } from "vitest";
import { numericId, wholeNumber } from "../../src/values/whole-number";

describe("numericId", () => {
  it.each(["1", "27", "999999999999999"])("reads %s", (text) => {
    expect(numericId(text)).toBe(Number(text));
  });
  it.each([
    "",
    "0",
    "01",
    "1e1",
    "1E1",
    "+1",
    "-1",
    "1.0",
    " 1",
    "1 ",
    "0x1",
    "1_0",
    "١",
    "1000000000000000",
    "Infinity",
  ])("knows no thing by '%s'", (text) => {
    expect(numericId(text)).toBeUndefined();
  });
});

describe("wholeNumber", () => {
  it.each(["0", "007", "999999999999999"])("reads %s", (text) => {
    expect(wholeNumber(text)).toBe(Number(text));
  });
  it.each(["", "1e1", "+1", "-1", "1.0", " 1", "0x1"])("doesn't read '%s'", (text) => {
    expect(wholeNumber(text)).toBeUndefined();
  });
});
