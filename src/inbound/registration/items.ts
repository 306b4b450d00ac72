import type { Connector } from "../../connectors/definition";
import { eventSettings } from "../../instances/configuration";
import type { Instance } from "../../instances/instance";

export type Registration = NonNullable<NonNullable<Connector["webhook"]>["registration"]>;

/** Item → the webhook made for it. */
export type Registered = Record<string, string>;

/** The items an instance wants webhooks for: none while it is disabled, invalid or not configured for webhooks. */
export function wantedItems(
  { itemsKey }: Registration,
  { connector, configuration, valid, disabled }: Instance,
): string[] {
  const { enabled, modes } = eventSettings(connector, configuration);
  if (!enabled || !valid || disabled || !modes.includes("webhook")) return [];
  const items = (configuration[itemsKey] ?? "").split(",").map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ""))];
}

/** What an item may mean: `folder:7` has one type; `7` may be of any type, to be tried in this order. */
export function targetsOf({ types }: Registration, item: string): { type: string; id: string }[] {
  const [type = "", id] = item.split(":");
  if (id !== undefined) return types.includes(type) ? [{ type, id }] : [];
  return types.map((one) => ({ type: one, id: item }));
}

/** Reads the webhooks made so far: two configuration keys have the ids and the items as comma lists in the same order. */
export function readRegistered(
  { idsKey }: Registration,
  configuration: Readonly<Record<string, string | null>>,
): Registered {
  const listAt = (key: string): string[] =>
    (configuration[key] ?? "").split(",").filter((part) => part !== "");
  const [ids, items] = [listAt(idsKey), listAt(`${idsKey}.items`)];
  return Object.fromEntries(items.map((item, index) => [item, ids[index] ?? ""]));
}

export function writeRegistered(
  { idsKey }: Registration,
  registered: Registered,
): Record<string, string | null> {
  const textOf = (parts: string[]): string | null => (parts.length === 0 ? null : parts.join(","));
  return {
    [idsKey]: textOf(Object.values(registered)),
    [`${idsKey}.items`]: textOf(Object.keys(registered)),
  };
}
