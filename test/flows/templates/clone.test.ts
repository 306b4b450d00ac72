import { describe, expect, it } from "vitest";
import type { Flow } from "../../../src/flows/flow";
import { cloneRequest, copiedFields } from "../../../src/flows/templates/clone";

const origin = {
  id: "o",
  userId: 1,
  description: "about",
  customFields: { plan: "gold" },
  thumbnail: null,
  wizard: { first: "T" },
  sharedWith: [{ scope: "user", permissions: ["read"] }],
} as unknown as Flow;

const copied = (request: object, userId = 1) =>
  copiedFields(origin, { t2: {} }, { T: "t2" }, cloneRequest.parse(request), userId);

describe("a copy", () => {
  it("takes over what its owner wrote, and names components by their new ids", () => {
    expect(copied({})).toEqual({
      description: "about",
      customFields: { plan: "gold" },
      thumbnail: null,
      wizard: { first: "t2" },
      sharedWith: origin.sharedWith,
      componentIdMap: { T: "t2" },
    });
  });

  it("goes without the fields that are taken off", () => {
    const fields = copied({ projection: "-wizard,-sharedWith,-thumbnail,name" });
    expect(Object.keys(fields).toSorted()).toEqual([
      "componentIdMap",
      "customFields",
      "description",
    ]);
  });

  it.each([
    ["of somebody else's flow is shared with nobody", {}, 2, "sharedWith", undefined],
    [
      "keeps no map of ids when told so",
      { setComponentIdMap: false },
      1,
      "componentIdMap",
      undefined,
    ],
    ["remembers its origin when told so", { setOriginFlowId: true }, 1, "originFlowId", "o"],
    ["remembers its template", { isTemplateInstance: true }, 1, "originFlow", { t2: {} }],
    ["remembers nothing otherwise", {}, 1, "originFlowId", undefined],
  ])("%s", (_, request, userId, name, expected) => {
    expect(Reflect.get(copied(request, userId), name)).toEqual(expected);
  });
});
