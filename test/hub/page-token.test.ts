import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPageToken, type TokenScope, writePageToken } from "../../src/hub/page-token";
import type { Position } from "../../src/hub/position";

const KEY = "k".repeat(32);
const SCOPE: TokenScope = { organizationId: 1, instanceId: 27, resource: "accounts" };

describe("writePageToken", () => {
  it.each<Position>([
    { page: 2, size: 20 },
    { offset: 100, size: 20 },
    { cursor: "1152922976252290886" },
    { url: "https://v.example/ä?x=1" },
    { url: "https://v.example", after: ["2026-01-01", "7"] },
    { search: { phase: "id", from: "1", id: "2" } },
  ])("comes back as it was: %o", (position) => {
    const token = writePageToken(position, SCOPE, KEY);
    expect(token).toMatch(/^[\w-]+\.[\w-]+$/);
    expect(readPageToken(token, SCOPE, KEY)).toEqual(position);
  });
});

describe("readPageToken", () => {
  const position: Position = { url: "https://v.example/secrets" };
  const unsigned = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

  it.each([
    "",
    "!",
    ".",
    "abc",
    "abc.",
    btoa("[]"),
    btoa('{"page":1.5,"size":1}').replaceAll("=", ""),
    btoa('{"cursor":"a","url":"b"}').replaceAll("=", ""),
    unsigned(position),
    `${unsigned(position)}.`,
    `${unsigned(position)}.${"A".repeat(43)}`,
    "A".repeat(20_000),
    `${"A".repeat(20_000)}.${"A".repeat(43)}`,
  ])("refuses what we never handed out: %s", (token) => {
    expect(readPageToken(token, SCOPE, KEY)).toBeUndefined();
  });

  it.each<[string, TokenScope, string]>([
    ["organization", { ...SCOPE, organizationId: 2 }, KEY],
    ["instance", { ...SCOPE, instanceId: 28 }, KEY],
    ["resource", { ...SCOPE, resource: "contacts" }, KEY],
    ["key", SCOPE, "j".repeat(32)],
  ])("refuses a token of another %s", (_, scope, key) => {
    expect(readPageToken(writePageToken(position, scope, key), SCOPE, KEY)).toBeUndefined();
  });

  it("refuses a token of which any character was changed", () => {
    const token = writePageToken(position, SCOPE, KEY);
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom("A", "a", "0", "-", "_", "."),
        (at, character) => {
          fc.pre(token[at] !== character);
          const changed = token.slice(0, at) + character + token.slice(at + 1);
          expect(readPageToken(changed, SCOPE, KEY)).toBeUndefined();
        },
      ),
    );
  });
});
