import { describe, expect, it } from "vitest";
import { parseContent, parseUnproved } from "../../src/inbound/content";

const LONG = "1234567890123456789";
const list = (bytes: number): string => `[${"1,".repeat(bytes / 2)}${LONG}]`;
const bodyOf = (text: string, type = "application/json"): any => {
  const parsed = parseUnproved(text, type);
  return parsed.ok ? parsed.content.body : parsed.message;
};

describe("a body that nobody has proved to have sent", () => {
  it.each([
    ["", ""],
    ["<a/>", "text/xml"],
    ["a=1&b=2", "application/x-www-form-urlencoded"],
    [`{"portalId":${LONG}}`, "application/json"],
    ["[", "application/json"],
    [`[${"[".repeat(600)}`, "application/json"],
    [`${"[".repeat(200_000)}`, "application/json"],
    [`{"a":"${"x".repeat(200_000)}"`, "application/json"],
    [`a=${"x".repeat(200_000)}`, "application/x-www-form-urlencoded"],
    [`<a>${"x".repeat(200_000)}</a>`, "application/xml"],
  ])("is read like any other: %.30j as %s", (text, type) => {
    expect(parseUnproved(text, type)).toEqual(parseContent(text, type));
  });

  it("keeps every digit up to a usual size, and is read quickly beyond it", () => {
    expect(bodyOf(list(1_000_000)).at(-1)).toBe(LONG);
    // Read exactly, the last one would be a text here, too.
    expect(bodyOf(list(1_100_000)).at(-1)).toBe(Number(LONG));
  });
});
