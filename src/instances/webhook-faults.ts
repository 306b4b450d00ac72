import type { Connector } from "../connectors/definition";

/**
 * Why no webhook of the vendor can become an event. `unlisted`: the connector makes webhooks for single items, and none
 * is listed; `unmade`: none could be made for those that are; `no-key`, `no-token`: what is sent can't be proved.
 */
export type WebhookFault =
  | { kind: "none" }
  | { kind: "unlisted"; key: string }
  | { kind: "unmade"; key: string }
  | { kind: "no-key"; key: string }
  | { kind: "no-token"; key: string };

/** What keeps all webhooks of an instance from becoming events, as far as its configuration tells; empty: nothing does. */
export function webhookFaults(
  { webhook }: Connector,
  values: Readonly<Record<string, string | null>>,
): WebhookFault[] {
  if (webhook === undefined) return [{ kind: "none" }];
  const has = (key: string): boolean => /[^\s,]/.test(values[key] ?? "");
  const { registration, signatures, defaultKey } = webhook;
  const faults: WebhookFault[] = [];
  if (registration !== undefined && !has(registration.idsKey))
    faults.push({
      kind: has(registration.itemsKey) ? "unmade" : "unlisted",
      key: registration.itemsKey,
    });
  if (signatures.length === 0) {
    if (!has(TOKEN)) faults.push({ kind: "no-token", key: TOKEN });
  } else if (
    ![KEY, `${KEY}.secondary`, ...(defaultKey === undefined ? [] : [defaultKey])].some(has)
  )
    faults.push({ kind: "no-key", key: KEY });
  return faults;
}

const KEY = "event.vendor.signature.key";
const TOKEN = "event.vendor.token";
