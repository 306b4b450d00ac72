import { findConnector } from "../connectors/catalog";
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

/** Where a vendor sends the webhooks of one instance; `base` is where this deployment is reached. */
export function instanceAddress(base: string, { key }: Connector, instanceId: number): string {
  const name = Buffer.from(String(instanceId)).toString("base64");
  return `${base}/elements/api-v2/events/${key}/${name}`;
}

/** Where a vendor sends the webhooks of all accounts that one application of it has; undefined: they don't say whose they are. */
export function sharedAddress(base: string, { key, id, webhook }: Connector): string | undefined {
  if (webhook?.route === undefined) return undefined;
  return `${base}/elements/api-v2/events/${findConnector(key) === undefined ? id : key}`;
}
