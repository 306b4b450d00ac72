import { describe, expect, it } from "vitest";
import { brief, quoted } from "../../src/values/text";

describe("brief", () => {
  it.each<[string, string]>([
    ["no quotes", "A message without quotes"],
    ["one", "No instance '27'"],
    ["several", "Connector 'a' has no resource 'b'. Expected c"],
    ["an odd one", "It can't be"],
  ])("keeps a short message: %s", (_, message) => {
    expect(brief(message)).toBe(message);
  });

  it.each([
    "x".repeat(5_000),
    "x'".repeat(5_000),
    "' ".repeat(5_000),
    "\u{1F600}".repeat(5_000),
    `${"x".repeat(198)}\u{1F600}x`,
  ])("quotes at most 200 characters: %#", (text) => {
    const message = brief(`No instance '${text}' of 'sandbox'`);
    expect(message.length).toBeLessThanOrEqual("No instance ''".length + 200);
    expect(message.startsWith("No instance '")).toBe(true);
    expect(message.isWellFormed()).toBe(true);
  });
});

describe("quoted", () => {
  it("leaves 200 characters as they are, and cuts one more", () => {
    expect(quoted("x".repeat(200))).toBe("x".repeat(200));
    expect(quoted("x".repeat(201))).toBe(`${"x".repeat(199)}…`);
  });
});
