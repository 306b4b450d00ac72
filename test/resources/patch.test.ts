import { describe, expect, it } from "vitest";
import { applyPatch } from "../../src/resources/patch";

describe("applyPatch", () => {
  it("refuses operations that leave no document", () => {
    expect(applyPatch({ a: 1 }, [{ op: "remove", path: "" }])).toEqual({
      ok: false,
      field: "",
      message: "The document must stay an object",
    });
  });

  it("takes a document in the place of one that was removed", () => {
    const operations = [
      { op: "remove", path: "" },
      { op: "add", path: "", value: { b: 2 } },
    ] as const;
    expect(applyPatch({ a: 1 }, operations)).toEqual({ ok: true, document: { b: 2 } });
  });
});
