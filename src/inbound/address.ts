import type { Connector } from "../connectors/definition";
import { numericId } from "../values/whole-number";

/** The instance that an address names, as digits or in base64: `20931` or `MjA5MzE=`. */
export function instanceInPath(text: string): number | undefined {
  const digits = /^\d{1,15}$/.test(text) ? text : Buffer.from(text, "base64").toString();
  return numericId(digits);
}

/** The instances that a header names: `12,13`. */
export function idsIn(text: string): number[] {
  return text.split(",").flatMap((part) => numericId(part.trim()) ?? []);
}

/** Whether deliveries to the address of `element` may be for this connector; connectors of one family share addresses. */
export function isAddressedBy(
  connector: Connector,
  element: string,
  shared: Connector | undefined,
): boolean {
  const family = shared?.webhook?.route?.family;
  return (
    connector.key === element.toLowerCase() ||
    String(connector.id) === element ||
    (family !== undefined && family === connector.webhook?.route?.family)
  );
}
