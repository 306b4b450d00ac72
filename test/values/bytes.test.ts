import fc from "fast-check";
import { expect, it } from "vitest";
import { concatenate, equalInConstantTime, sha256, utf8Length } from "../../src/values/bytes";

it("digests a text as its UTF-8 bytes", () => {
  // FIPS 180-2, B.1.
  const hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(sha256("abc", "hex")).toBe(hex);
  expect(sha256(new TextEncoder().encode("abc"), "hex")).toBe(hex);
  expect(Buffer.from(sha256("abc", "base64url"), "base64url").toString("hex")).toBe(hex);
});

it("finds texts and bytes equal when they are, of any two", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      expect(equalInConstantTime(a, a)).toBe(true);
      expect(equalInConstantTime(a, Buffer.from(a))).toBe(true);
      expect(equalInConstantTime(a, b)).toBe(a === b);
    }),
  );
});

it("puts chunks together in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (chunks) => {
      const whole = Buffer.concat(chunks);
      expect(Buffer.from(concatenate(chunks, whole.byteLength)).equals(whole)).toBe(true);
    }),
  );
});

it.each([
  ["", 0],
  ["a", 1],
  ["ö", 2],
  ["€", 3],
  ["🙂", 4],
])("%j has %i bytes", (text, bytes) => expect(utf8Length(text)).toBe(bytes));
