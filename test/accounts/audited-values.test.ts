import { describe, expect, it } from "vitest";
import { differences, hidden } from "../../src/accounts/audited-values";

const M = "********";

describe("what differs between two states", () => {
  it.each<[name: string, before: object | undefined, after: object | undefined, told: object]>([
    ["nothing", { a: 1, b: [1] }, { b: [1], a: 1 }, { before: {}, after: {} }],
    ["a member", { a: 1, b: 2 }, { a: 1, b: 3 }, { before: { b: 2 }, after: { b: 3 } }],
    [
      "a member of a member",
      { a: { b: { c: "x" } } },
      { a: { b: { c: null, d: true } } },
      { before: { "a.b.c": "x" }, after: { "a.b.c": null, "a.b.d": true } },
    ],
    ["something new", undefined, { a: ["x"] }, { before: {}, after: { a: ["x"] } }],
    ["something gone", { a: "x" }, undefined, { before: { a: "x" }, after: {} }],
    [
      "a secret by its name",
      { headers: { "X-Api-Key": "old" } },
      { headers: { "X-Api-Key": "new" } },
      { before: { "headers.X-Api-Key": M }, after: { "headers.X-Api-Key": M } },
    ],
    [
      "a secret by its use",
      { headers: { "X-As": "Bearer old" }, url: "https://a.example/?sig=old" },
      { headers: { "X-As": "Bearer new" }, url: "https://a.example/?sig=new" },
      {
        before: { "headers.X-As": M, url: `https://a.example/?sig=${M}` },
        after: { "headers.X-As": M, url: `https://a.example/?sig=${M}` },
      },
    ],
    [
      "what is hidden",
      { pin: hidden("1") },
      { pin: hidden("2") },
      { before: { pin: M }, after: { pin: M } },
    ],
    [
      "what is sealed",
      { a: { url: "~sealed.00000000.AA~" } },
      {},
      { before: { "a.url": M }, after: {} },
    ],
    [
      "secrets in lists",
      undefined,
      { list: [{ password: "p", pin: hidden("1"), n: 1 }] },
      { before: {}, after: { list: [{ password: M, pin: M, n: 1 }] } },
    ],
    [
      "long texts",
      undefined,
      { a: "x".repeat(300) },
      { before: {}, after: { a: `${"x".repeat(256)}…` } },
    ],
    [
      "long lists",
      undefined,
      { a: Array.from({ length: 300 }, () => 1) },
      {
        before: {},
        after: { a: `${JSON.stringify(Array.from({ length: 300 }, () => 1)).slice(0, 256)}…` },
      },
    ],
  ])("tells %s", (_, before, after, told) => {
    expect(differences(before as never, after as never)).toEqual(told);
  });

  it("tells fifty members, and how many more there are", () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`m${index}`, index]));
    const { after } = differences(undefined, many);
    expect(Object.keys(after)).toHaveLength(51);
    expect(after["…"]).toBe("10 more");
  });
});
