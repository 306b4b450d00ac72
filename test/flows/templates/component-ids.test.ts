import { describe, expect, it } from "vitest";
import { newIds, withIds } from "../../../src/flows/templates/component-ids";
import { mergeThreeWay } from "../../../src/flows/templates/merge";
import { step, trigger } from "../build";

describe("copies", () => {
  it("have new ids as keys, in source, in transform and in paths", () => {
    const modifiers = { body: { m1: { variable: "$.T.out.data", functions: [] } } };
    const flow = {
      T: trigger(),
      P: step({ url: "{{{$.T.out.data.url}}}", body: "{{{m1}}} $.T." }, modifiers),
    };
    let count = 0;
    const ids = newIds(flow, () => `id${(count += 1)}`);
    expect(ids).toEqual({ T: "id1", P: "id2" });
    expect(withIds(flow, ids)).toEqual({
      id1: trigger(),
      id2: {
        type: "appmixer.utils.http.Post",
        source: { in: { id1: ["out"] } },
        config: {
          transform: {
            in: {
              id1: {
                out: {
                  type: "json2new",
                  modifiers: { body: { m1: { variable: "$.id1.out.data", functions: [] } } },
                  lambda: { url: "{{{$.id1.out.data.url}}}", body: "{{{m1}}} $.T." },
                },
              },
            },
          },
        },
      },
    });
  });

  it("keep what their user changed when the template moves on", () => {
    const base = { a: { url: "old", method: "x" }, gone: 1, same: [1] };
    const mine = { a: { url: "mine", method: "x" }, gone: 1, same: [1], added: true };
    const theirs = { a: { url: "new", method: "y" }, same: [1, 2], fresh: 1 };
    expect(mergeThreeWay(base, mine, theirs)).toEqual({
      a: { url: "mine", method: "y" },
      same: [1, 2],
      fresh: 1,
      added: true,
    });
  });
});
