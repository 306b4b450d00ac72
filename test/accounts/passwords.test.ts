import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { passwordNeeds } from "../../src/accounts/passwords/needs";

const COMMONEST = "a password that is not among the 10,000 commonest";

describe("a new password", () => {
  it.each([
    ["correct horse battery staple", undefined],
    ["ünbekannt", undefined],
    ["🐎🔋📎🐎🔋📎🐎🔋", undefined],
    ["        x", undefined],
    ["x".repeat(256), undefined],
    ["", "at least 8 characters"],
    ["1234567", "at least 8 characters"],
    // Seven characters, of two UTF-16 units each.
    ["🐎🔋📎🐎🔋📎🐎", "at least 8 characters"],
    ["x".repeat(257), "at most 256 bytes"],
    ["ü".repeat(129), "at most 256 bytes"],
    // One character that NFKC makes 18 of.
    ["ﷺ".repeat(20), "at most 256 bytes"],
    [" ".repeat(8), "more than blanks"],
    ["\t\n\u00a0\u2003\u3000\t\n ", "more than blanks"],
    ["long enough\0", "text without NUL"],
    ["password", COMMONEST],
    ["PassWord1", COMMONEST],
    ["ｐａｓｓｗｏｒｄ", COMMONEST],
    ["1q2w3e4r", COMMONEST],
    ["qwertyuiop", COMMONEST],
    ["elizabeth", COMMONEST],
  ])("%j needs %s", (password, needs) => expect(passwordNeeds(password)).toBe(needs));

  it("with eight characters that no list has will do, whatever they are", () => {
    const letter = fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 200 });
    fc.assert(
      fc.property(letter, (text) => {
        expect(passwordNeeds(`~${text}~`)).toBeUndefined();
      }),
    );
  });
});
