import type { Connector } from "../../connectors/definition";
import { eventSettings } from "../../instances/configuration";
import type { Instance } from "../../instances/instance";

export type Registration = NonNullable<NonNullable<Connector["webhook"]>["registration"]>;

/** Item → the webhook made for it. */
export type Registered = Record<string, string>;

/** Which items an instance wants webhooks for now: none while it is off or does not listen. */
export function wantedItems(
  { itemsKey }: Registration,
  { connector, configuration, valid, disabled }: Instance,
): string[] {
  const { enabled, modes } = eventSettings(connector, configuration);
  if (!enabled || !valid || disabled || !modes.includes("webhook")) return [];
  const items = (configuration[itemsKey] ?? "").split(",").map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ""))];
}

/** `folder:7` is of one type; `7` may be any, tried in this order. */
export function targetsOf({ types }: Registration, item: string): { type: string; id: string }[] {
  const [type = "", id] = item.split(":");
  if (id !== undefined) return types.includes(type) ? [{ type, id }] : [];
  return types.map((one) => ({ type: one, id: item }));
}

/** Webhook ids and the items they were made for stand in two comma lists of one order. */
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
