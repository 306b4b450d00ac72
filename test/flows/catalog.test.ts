import { expect, it } from "vitest";
import { COMPONENT_TYPES, triggerKind } from "../../src/flows/components";
import { APPS, MANIFESTS } from "../../src/flows/catalog/manifests";
import { modifierCatalog } from "../../src/flows/catalog/modifiers";
import { readDescriptor } from "../../src/flows/descriptor";
import { triggerFaults } from "../../src/flows/validation/trigger";

it.each([...COMPONENT_TYPES])("%s has a manifest of its own, in an app that is listed", (type) => {
  const manifest = MANIFESTS.get(type);
  const labels = [...MANIFESTS.values()].map(({ label }) => label);
  expect(labels.filter((label) => label === manifest?.label)).toHaveLength(1);
  expect(Object.keys(APPS)).toContain(type.split(".").slice(0, 2).join("."));
});

it.each(COMPONENT_TYPES.filter((type) => triggerKind(type) !== undefined))(
  "%s requires what starting it without would be refused for",
  (type) => {
    const read = readDescriptor({ T: { type } });
    const component = read.ok ? read.descriptor.get("T") : undefined;
    const kind = triggerKind(type);
    if (component === undefined || kind === undefined) throw new Error("No trigger");
    const faults = triggerFaults(component, kind, (field, message) => ({
      componentId: "T",
      field,
      message,
    }));
    const missing = new Set(faults.map(({ field }) => field.replace("config.properties.", "")));
    expect(MANIFESTS.get(type)?.properties.schema.required).toEqual([...missing]);
  },
);

it("lists modifiers and values of flows, with their arguments and no code", () => {
  expect(modifierCatalog.modifiers["g_replace"]).toEqual({
    name: "replace",
    label: "Replace",
    category: ["value"],
    arguments: ["pattern", "replacer", "regex", "global", "multiline", "ignorecase"].map(
      (name) => ({ name, type: "text", isHash: true }),
    ),
  });
  expect(modifierCatalog.modifiers["g_flowName"]?.category).toEqual(["flow"]);
});
