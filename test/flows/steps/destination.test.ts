import { expect, it } from "vitest";
import { stepDestination } from "../../../src/flows/steps/destination";
import { descriptor, step, trigger } from "../build";

it.each<[string, unknown, string | null]>([
  ["that its mapping names", "https://example.com/cb", "https://example.com/cb"],
  ["not with a placeholder in it", "https://example.com/{{{$.T.out.data.id}}}", null],
  ["not when it is none", "nope", null],
  ["not when there is none", undefined, null],
])("a step's destination shows the address %s", (_, url, expected) => {
  const component = descriptor({ T: trigger(), P: step({ url }) }).get("P");
  if (component === undefined) throw new Error("no step");
  expect(stepDestination({ id: "f", organizationId: 1 }, component)).toMatchObject({
    id: "flow-f-P",
    kind: "flow-step",
    ownerId: "f",
    url: expected,
  });
});
