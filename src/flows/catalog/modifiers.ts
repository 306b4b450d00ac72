import { MODIFIERS } from "../modifiers/catalog";
import { FLOW_VALUES } from "../modifiers/flow-values";

/** The modifiers as editors of flows read them; how they work is told in words, and not as code to run. */
export const modifierCatalog = {
  categories: { value: { label: "Value", index: 1 }, flow: { label: "Flow", index: 2 } },
  modifiers: Object.fromEntries([
    ...[...MODIFIERS].map(([id, { parameters }]) => entry(id, "value", parameters)),
    ...FLOW_VALUES.map((id) => entry(id, "flow", [])),
  ]),
};

function entry(id: string, category: string, parameters: readonly string[]) {
  const name = id.slice("g_".length);
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const label = words.charAt(0).toUpperCase() + words.slice(1);
  const given = parameters.map((parameter) => ({ name: parameter, type: "text", isHash: true }));
  return [id, { name, label, category: [category], arguments: given }] as const;
}
