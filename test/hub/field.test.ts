import { describe, expect, it } from "vitest";
import { selectFields, withoutNulls } from "../../src/hub/field";

describe("selectFields", () => {
  it("keeps what is named, inside objects and lists too", () => {
    const record = { id: 1, user: { id: 2, name: "n" }, tags: [{ id: 3, x: 1 }], z: 0, "a.b": 4 };
    expect(selectFields(record, ["id", "user.id", "tags.id", "a.b", "none"])).toEqual({
      id: 1,
      user: { id: 2 },
      tags: [{ id: 3 }],
      "a.b": 4,
    });
  });
});

describe("withoutNulls", () => {
  it("drops null members at any depth and keeps nulls in lists", () => {
    expect(withoutNulls([{ a: null, b: { c: null, d: [null, { e: null }] }, f: 0 }])).toEqual([
      { b: { d: [null, {}] }, f: 0 },
    ]);
  });
});
