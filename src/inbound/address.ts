import type { Connector } from "../connectors/definition";
import { numericId } from "../values/whole-number";

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
